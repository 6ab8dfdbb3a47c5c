/**
 * `npm run fuzz [-- --count 1000000 --seed 1 --target manifests]`: mutations of manifests, of documents for both YAML readers, and of webhooks. Ends at the first one that breaks a promise,
 * with the seed that repeats it (`--seed N --count 1`).
 */
import { parseArgs } from "node:util";
import { fuzz, TARGETS } from "./run.ts";
import type { Target } from "./run.ts";

const { values: options } = parseArgs({
  options: { count: { type: "string", default: "1000000" }, seed: { type: "string" }, target: { type: "string" } },
});
const count = Number(options.count);
const seed = options.seed === undefined ? Date.now() % 2 ** 31 : Number(options.seed);
for (const target of Object.keys(TARGETS) as Target[]) {
  if (options.target !== undefined && options.target !== target) continue;
  const begun = performance.now();
  const slowest = fuzz(target, seed, count);
  const seconds = (performance.now() - begun) / 1_000;
  console.log(
    `${target}: ${count.toLocaleString("en-US")} mutations from seed ${seed} in ${seconds.toFixed(1)} s, slowest ${slowest.toFixed(1)} ms`,
  );
}
