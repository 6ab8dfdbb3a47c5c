import { fuzzManifest } from "./manifests.ts";
import { dice } from "./mutations.ts";
import { fuzzPlainYaml } from "./plain-yaml.ts";
import { fuzzWebhook } from "./webhooks.ts";

/** What is mutated, by name. */
export const TARGETS = { manifests: fuzzManifest, "plain-yaml": fuzzPlainYaml, webhooks: fuzzWebhook } as const;
export type Target = keyof typeof TARGETS;

/**
 * Makes `count` mutations, each from a seed of its own that follows from `seed`.
 * @returns the slowest one, ms.
 * @throws Error with the seed that repeats the failure alone.
 */
export function fuzz(target: Target, seed: number, count: number): number {
  let slowest = 0;
  for (let index = 0; index < count; index += 1) {
    const begun = performance.now();
    try {
      TARGETS[target](dice(seed + index));
    } catch (error) {
      throw new Error(`${target}, seed ${seed + index}`, { cause: error });
    }
    slowest = Math.max(slowest, performance.now() - begun);
  }
  return slowest;
}
