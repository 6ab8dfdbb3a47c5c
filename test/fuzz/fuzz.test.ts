import { fuzz, TARGETS } from "./run.ts";
import type { Target } from "./run.ts";

/** ms for one small file: far more than it takes, on a machine that does much else. */
const HANG_MS = 5_000;

test.each(Object.keys(TARGETS) as Target[])(
  "10,000 mutations of %s: no crash, no hang, every document accounted for",
  (target) => {
    expect(fuzz(target, 20_260_101, 10_000)).toBeLessThan(HANG_MS);
  },
  120_000,
);
