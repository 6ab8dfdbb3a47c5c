/**
 * `npm run fuzz [-- --count 1000000 --seed 1 --target manifests]`: mutations of manifests, of documents for both YAML readers, and of webhooks. Ends at the first one that breaks a promise,
 * with the seed that repeats it (`--seed N --count 1`).
 */
import { parseArgs } from "node:util";
import { fuzz, TARGETS } from "./run.ts";
import type { Target } from "./run.ts";

/** Mutations after which it tells how far it is. */
const STEP = 100_000;

const { values: options } = parseArgs({
  options: { count: { type: "string", default: "1000000" }, seed: { type: "string" }, target: { type: "string" } },
});
const count = Number(options.count);
const seed = options.seed === undefined ? Date.now() % 2 ** 31 : Number(options.seed);
for (const target of Object.keys(TARGETS) as Target[]) {
  if (options.target !== undefined && options.target !== target) continue;
  const begun = performance.now();
  let slowest = 0;
  for (let done = 0; done < count;) {
    const some = Math.min(STEP, count - done);
    slowest = Math.max(slowest, fuzz(target, seed + done, some));
    done += some;
    const seconds = (performance.now() - begun) / 1_000;
    const what = `${done.toLocaleString("en-US")} of ${count.toLocaleString("en-US")} mutations from seed ${seed}`;
    console.log(`${target}: ${what} in ${seconds.toFixed(1)} s, slowest ${slowest.toFixed(1)} ms`);
  }
}
