import type { FabricStatus } from "../../../src/api/status.ts";
import type { WalkRig } from "./rig.ts";

/** Resources by drift status, and those that drift by severity; words without any are left out. */
export interface Numbers {
  readonly drift: Readonly<Record<string, number>>;
  readonly severity: Readonly<Record<string, number>>;
}

/** As the views have them. */
export async function countedIn(rig: WalkRig): Promise<Numbers> {
  const [counts] = await rig.sql<{ drift: Record<string, number>; severity: Record<string, number> }>(
    `SELECT (SELECT json_object_agg(drift_status, n) FROM
              (SELECT drift_status, count(*)::int AS n FROM fabric_sync.resources GROUP BY 1) d) AS drift,
            (SELECT json_object_agg(drift_severity, n) FROM
              (SELECT drift_severity, count(*)::int AS n FROM fabric_sync.drifts GROUP BY 1) s) AS severity`,
  );
  return counts ?? { drift: {}, severity: {} };
}

/** As the Fabric's status has them. */
export function figuresOf({ drift }: FabricStatus): Numbers {
  const { inSync, drifted, missing, extra, untracked, invalid, unknown } = drift ?? {};
  return {
    drift: some({ in_sync: inSync, drifted, missing, extra, untracked, invalid, unknown }),
    severity: some(drift?.bySeverity ?? {}),
  };
}

/** In an order, for comparisons. */
export function sorted(counts: Readonly<Record<string, number>>): string {
  return JSON.stringify(Object.entries(counts).sort());
}

function some(counts: Readonly<Record<string, number | undefined>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(counts).filter((entry): entry is [string, number] => entry[1] !== undefined && entry[1] !== 0),
  );
}
