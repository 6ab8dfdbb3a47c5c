import { FabricSyncError } from "./errors.ts";

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const DURATION = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/;
const PART = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/g;

/**
 * Milliseconds of a duration as Go and the Fabric API write it: `90s`, `1h30m`, `1.5h`, `90d`. A day is 24 hours.
 * @throws FabricSyncError `InvalidDuration` (stall) for anything else.
 */
export function parseDuration(text: string): number {
  if (!DURATION.test(text)) {
    throw new FabricSyncError("InvalidDuration", "stall", "a duration must look like 30s, 5m, 1h30m or 90d", {
      context: { duration: text },
    });
  }
  let total = 0;
  for (const [, amount = "", unit = ""] of text.matchAll(PART)) total += Number(amount) * (UNIT_MS[unit] ?? NaN);
  return Math.round(total);
}
