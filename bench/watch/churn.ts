import { withClient } from "../../test/support/postgres.ts";
import { waitFor } from "../../test/support/wait.ts";
import { allOf, pathOf } from "./objects.ts";
import type { Rig } from "./rig.ts";

export interface ChurnOptions {
  readonly databaseUrl: string;
  /** Objects that are changed in turn, by their kind and number. */
  readonly targets: readonly { readonly kind: number; readonly index: number }[];
  /** 0: as many as the API server takes. */
  readonly perSecond: number;
  readonly seconds: number;
}

/** One change: when a bare watcher had it, and when its row and event were committed (ms since the epoch). */
export interface Change {
  readonly seenAt: number;
  readonly committedAt: number;
}

export interface Churn {
  readonly made: number;
  readonly madePerSecond: number;
  /** In the order in which a bare watcher saw them. */
  readonly changes: readonly Change[];
  /** Seen by the bare watcher, and in no event of the table: a newer change of the same object was written instead. */
  readonly folded: number;
}

/** How long the watcher is there before the first change and after the last (s). */
const BEFORE = 3;
const AFTER = 12;
/** Requests at once when there is no rate: more make the API server no faster. */
const CLIENTS = 32;
const NEWEST =
  "SELECT coalesce(max(resource_version::bigint), 0)::float AS newest FROM fabric_sync.resource_event WHERE resource_version <> ''";

/** Changes objects while a bare watcher and the operator look on; each in a process of its own. */
export async function churn(rig: Rig, options: ChurnOptions): Promise<Churn> {
  const { databaseUrl, targets, perSecond, seconds } = options;
  const kinds = [...new Set(targets.map(({ kind }) => kind))];
  const access = [rig.plane.url, rig.caFile, rig.plane.adminToken];
  const watching = rig.program<Record<string, number>>("follow", [
    ...access,
    String(BEFORE + seconds + AFTER),
    ...kinds.map(allOf),
  ]);
  await new Promise((resolve) => setTimeout(resolve, BEFORE * 1_000));
  const clients = perSecond > 0 ? Math.min(CLIENTS, perSecond) : CLIENTS;
  const rate = [seconds, perSecond, clients].map(String);
  const paths = targets.map(({ kind, index }) => `${pathOf(kind)}/thing-${index}`);
  const update = await rig.program<{ made: number; seconds: number }>("update", [...access, ...rate, ...paths]);
  const seen = await watching;
  const last = Math.max(...Object.keys(seen).map(Number));
  return withClient(databaseUrl, async (sql) => {
    const caughtUp = async (): Promise<boolean> =>
      ((await sql.query<{ newest: number }>(NEWEST)).rows[0]?.newest ?? 0) >= last;
    await waitFor("the table to have the last change", caughtUp, { timeoutMs: 120_000, intervalMs: 100 });
    const text = `SELECT resource_version AS version, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float * 1000 AS at
        FROM fabric_sync.resource_event WHERE resource_version = ANY ($1)`;
    const { rows } = await sql.query<{ version: string; at: number }>(text, [Object.keys(seen)]);
    const committed = new Map(rows.map(({ version, at }) => [version, at]));
    const changes = Object.entries(seen)
      .sort(([, a], [, b]) => a - b)
      .flatMap(([version, seenAt]) => {
        const committedAt = committed.get(version);
        return committedAt === undefined ? [] : [{ seenAt, committedAt }];
      });
    const folded = Object.keys(seen).length - changes.length;
    return { made: update.made, madePerSecond: update.made / update.seconds, changes, folded };
  });
}

/** How much later than the bare watcher the table had it (ms). */
export const added = ({ seenAt, committedAt }: Change): number => committedAt - seenAt;
