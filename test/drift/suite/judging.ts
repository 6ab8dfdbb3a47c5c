import type { Check } from "../../../src/core/check.ts";
import { isAwaitingServer } from "../../../src/core/drift.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import { isJsonObject } from "../../../src/core/json.ts";
import { normaliseActual, normaliseDesired } from "../../../src/core/normalise.ts";
import type { ReducePolicy } from "../../../src/core/policy.ts";
import { reduce } from "../../../src/core/reduce.ts";
import type { ResourceRow } from "../../../src/core/row.ts";
import { settle } from "../../../src/core/settle.ts";
import { ask } from "../../../src/sources/cluster/drift/dry-run.ts";
import type { DryRunOptions } from "../../../src/sources/cluster/drift/dry-run.ts";

const FABRIC = "00000000-0000-7000-8000-00000000000f";
const CONTEXT = { now: "2026-01-01T00:00:00.000Z", newId: () => "01890000-0000-7000-8000-000000000001" };

/** What became of one pair of sides. */
export interface Judged {
  readonly row: ResourceRow;
  /** Whether the API server had to be asked. */
  readonly asked: boolean;
  readonly check: Check | null;
}

/** The two sides of one object through the reducer and, where they differ, through the API server: as the program does it. */
export async function judgeOn(
  revisions: readonly JsonObject[],
  live: JsonObject | null,
  policy: ReducePolicy,
  options: DryRunOptions,
): Promise<Judged> {
  let row: ResourceRow | null = null;
  for (const [index, manifest] of revisions.entries()) {
    const origin = {
      commit: String(index + 1).repeat(40),
      author: "ada",
      filePath: "a.yaml",
      line: 1,
      fileHash: String(index + 1).repeat(40),
    };
    const seen = { fabricId: FABRIC, writePath: "git_poll", observedAt: 0 } as const;
    row = reduce(row, normaliseDesired(manifest, origin, seen), policy, CONTEXT).row;
  }
  if (live !== null) {
    const seen = { fabricId: FABRIC, writePath: "watch", observedAt: 0 } as const;
    row = reduce(row, normaliseActual(live, seen), policy, CONTEXT).row;
  }
  if (row === null) throw new Error("there is no row");
  if (!isAwaitingServer(row)) return { row, asked: false, check: null };
  const check = await ask(row, policy, options);
  if (check === null) throw new Error("the object moved while it was asked about");
  const settled = settle(row, check, policy, CONTEXT);
  if (settled.row === null || settled.outcome === "stale") throw new Error(`the answer was ${settled.outcome}`);
  return { row: settled.row, asked: true, check };
}

/** `drift_status`, and the drifted paths where it is drifted. */
export function told({ row }: Judged): string | string[] {
  if (row.driftStatus !== "drifted") return row.driftStatus;
  const { paths } = row.driftDetails;
  return Array.isArray(paths)
    ? paths
        .filter(isJsonObject)
        .map(({ path }) => String(path))
        .sort()
    : [];
}
