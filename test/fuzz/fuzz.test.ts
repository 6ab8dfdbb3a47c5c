import { fuzz, TARGETS } from "./run.ts";
import type { Target } from "./run.ts";

/** ms after which reading one small file is a hang, on any machine. */
const HANG_MS = 30_000;

test.each(Object.keys(TARGETS) as Target[])(
  "10,000 mutations of %s: no crash, no hang, every document accounted for",
  (target) => {
    expect(fuzz(target, 20_260_101, 10_000)).toBeLessThan(HANG_MS);
  },
  120_000,
);
