import type { ActualUpsert } from "../core/observation.ts";
import { compareResourceVersions } from "../core/resource-version.ts";
import { hasSnapshot } from "../projections/project.ts";
import { PRECEDENCE } from "../projections/projection.ts";
import { columnSource } from "./column-arrays.ts";
import type { Folded } from "./fold.ts";
import type { Telling } from "./plan-projections.ts";
import { FABRIC } from "./projection-statement.ts";
import type { Part } from "./statement.ts";
import type { Sql } from "./transaction.ts";

/** How long a raw observation is kept after it was seen last. `maintain` purges what is older. */
const TIME_TO_LIVE = "interval '30 minutes'";

const TIMES = `now(), now() + ${TIME_TO_LIVE}`;

/** A device that a resource reports of, and the version in which it was seen. */
export interface Snapshot {
  readonly resourceId: string;
  readonly device: string;
  readonly source: string;
  readonly resourceVersion: string;
  /** Whether it tells of another's device, in its spec. */
  readonly isCollected: boolean;
  /** Whether its row in `device` is written by the same statement. */
  readonly isWritten: boolean;
}

/** What the cluster showed last of the object, where raw observations of its kind are kept. */
export function sightingOf({ subject, outcomes }: Folded): ActualUpsert | null {
  if (!hasSnapshot(subject.key)) return null;
  const seen = subject.observations.findLast(
    ({ side, type }, index) => side === "actual" && type === "upsert" && outcomes[index] !== "stale",
  );
  return seen?.side === "actual" && seen.type === "upsert" ? seen : null;
}

/** Whether the cluster's side of the row is written: then the whole observation is kept anew. */
export function showsAnew({ subject, outcomes }: Folded): boolean {
  return outcomes.some(
    (outcome, index) =>
      subject.observations[index]?.side === "actual" && (outcome === "changed" || outcome === "refreshed"),
  );
}

/** A heartbeat: the same content in a later version. The version that the row holds tells nothing new: it is a replay. */
export function beatOf(folded: Folded): Beat | null {
  const { stored } = folded;
  const seen = sightingOf(folded);
  if (seen === null || stored === undefined || showsAnew(folded)) return null;
  const order = compareResourceVersions(seen.resourceVersion, stored.row.actualResourceVersion);
  return order !== undefined && order <= 0 ? null : { id: stored.row.id, resourceVersion: seen.resourceVersion };
}

export interface Beat {
  readonly id: string;
  readonly resourceVersion: string;
}

/** @param tellings of resources whose cluster's side is written, each with what was seen of it. */
export function snapshotsOf(tellings: readonly (Telling & { readonly seen: ActualUpsert })[]): Snapshot[] {
  return tellings.flatMap(({ row, projection, kept, seen }) =>
    (projection?.devices ?? [])
      .filter(({ precedence }) => precedence < PRECEDENCE.mentioned)
      .map((device) => ({
        resourceId: row.id,
        device: device.name,
        source: device.sourceKind,
        resourceVersion: seen.resourceVersion,
        isCollected: row.kind === "DeviceState",
        isWritten: !kept.has("devices"),
      })),
  );
}

const COLUMNS = [
  ["resourceId", "uuid"],
  ["device", "text"],
  ["source", "text"],
  ["resourceVersion", "text"],
  ["isCollected", "boolean"],
  ["isWritten", "boolean"],
].map(([property = "", type = ""]) => ({ property, name: property, type }));

/** Keeps raw observations, as the rows hold them, beside what was made of them. */
export function snapshotPart(snapshots: readonly Snapshot[]): Part {
  return ({ parts, values }) => {
    const { from, expressions, values: own } = columnSource(COLUMNS, snapshots, values.length + 1, "i");
    values.push(...own);
    const [resource, device, source, version, isCollected = "", isWritten] = expressions;
    const isThere = `EXISTS (SELECT FROM fabric_sync.device d
              WHERE d.fabric_id = ${FABRIC} AND d.name = ${device} AND d.resource_id = ${resource} OFFSET 0)`;
    parts.push(`
  snapshot AS (
    INSERT INTO fabric_sync.device_snapshot AS s
      (fabric_id, device, resource_id, source, observation, resource_version, observed_at, expires_at)
    SELECT $1, ${device}, w.id, ${source},
           ${observation("w", isCollected)},
           ${version}, ${TIMES}
      FROM ${from} JOIN written w ON w.id = ${resource}
     WHERE ${isWritten} OR ${isThere}
     ORDER BY i.position
        ON CONFLICT (fabric_id, device, resource_id) DO UPDATE
       SET source = excluded.source, observation = excluded.observation, resource_version = excluded.resource_version,
           observed_at = excluded.observed_at, expires_at = excluded.expires_at
  )`);
  };
}

/**
 * Keeps what is there for longer: neither the observation nor an index is written, unless maintenance has purged it. Versions are decimal
 * numbers, so that a longer one is later; a replay of what was seen already writes nothing. Who moves a snapshot meanwhile has kept it for
 * longer too. A device that goes meanwhile is waited for before a snapshot is made anew.
 */
export function beatPart(beats: readonly Beat[]): Part {
  return ({ parts, values }) => {
    values.push(
      beats.map(({ id }) => id),
      beats.map(({ resourceVersion }) => resourceVersion),
    );
    const [ids, versions] = [values.length - 1, values.length];
    parts.push(`
  beat AS (
    SELECT b.id, b.version, d.name, d.source_kind, s.place, s.version AS known
      FROM unnest($${ids}::uuid[], $${versions}::text[]) AS b (id, version)
     CROSS JOIN LATERAL (
       SELECT d.name, d.source_kind FROM fabric_sync.device d
        WHERE d.fabric_id = ${FABRIC} AND d.resource_id = b.id AND d.precedence < ${PRECEDENCE.mentioned} OFFSET 0) d
      LEFT JOIN LATERAL (
       SELECT s.ctid AS place, s.resource_version AS version FROM fabric_sync.device_snapshot s
        WHERE s.fabric_id = ${FABRIC} AND s.device = d.name AND s.resource_id = b.id LIMIT 1) s ON true
  ), kept_snapshot AS (
    UPDATE fabric_sync.device_snapshot s
       SET resource_version = b.version, (observed_at, expires_at) = ROW(${TIMES})
      FROM beat b
     WHERE s.ctid = b.place AND (length(b.known), b.known) < (length(b.version), b.version)
  ), new_snapshot AS (
    INSERT INTO fabric_sync.device_snapshot
      (fabric_id, device, resource_id, source, observation, resource_version, observed_at, expires_at)
    SELECT $1, b.name, b.id, b.source_kind, ${observation("r", "r.kind = 'DeviceState'")}, b.version, ${TIMES}
      FROM beat b
     CROSS JOIN LATERAL (
       SELECT FROM fabric_sync.device d
        WHERE b.place IS NULL AND d.fabric_id = ${FABRIC} AND d.name = b.name AND d.resource_id = b.id FOR KEY SHARE LIMIT 1) d
     CROSS JOIN LATERAL (
       SELECT r.kind, r.actual_spec, r.actual_status FROM fabric_sync.resource r
        WHERE r.fabric_id = ${FABRIC} AND r.id = b.id AND r.actual_spec IS NOT NULL LIMIT 1) r
     ORDER BY b.name
        ON CONFLICT (fabric_id, device, resource_id) DO NOTHING
  )`);
  };
}

/**
 * Makes raw observations that are missing of resources, whose rows hold the same: as of when the row was written last, and of none that would have
 * ended by now. What is there is not touched, since a rebuild sees nothing.
 * @returns how many were made
 */
export async function restoreSnapshots(sql: Sql, fabricId: string, tellings: readonly Telling[]): Promise<number> {
  const ids = tellings.filter(({ row }) => hasSnapshot(row)).map(({ row }) => row.id);
  if (ids.length === 0) return 0;
  const made = await sql.rows(
    `INSERT INTO fabric_sync.device_snapshot
       (fabric_id, device, resource_id, source, observation, resource_version, observed_at, expires_at)
     SELECT $1, d.name, r.id, d.source_kind, ${observation("r", "r.kind = 'DeviceState'")}, r.actual_resource_version,
            r.actual_updated, r.actual_updated + ${TIME_TO_LIVE}
       FROM unnest($2::uuid[]) AS i (id)
      CROSS JOIN LATERAL (
        SELECT r.* FROM fabric_sync.resource r
         WHERE r.fabric_id = ${FABRIC} AND r.id = i.id AND r.actual_spec IS NOT NULL
           AND r.actual_updated + ${TIME_TO_LIVE} > now() LIMIT 1) r
      CROSS JOIN LATERAL (
        SELECT d.name, d.source_kind FROM fabric_sync.device d
         WHERE d.fabric_id = ${FABRIC} AND d.resource_id = r.id AND d.precedence < ${PRECEDENCE.mentioned} OFFSET 0) d
         ON CONFLICT (fabric_id, device, resource_id) DO NOTHING
     RETURNING device`,
    [fabricId, ids],
  );
  return made.length;
}

/** What is raw of a row: what a device said of itself, or what a collector said of it. */
function observation(row: string, isCollected: string): string {
  return `CASE WHEN ${row}.actual_status IS NULL OR ${isCollected}
                THEN jsonb_build_object('spec', ${row}.actual_spec) ELSE jsonb_build_object('status', ${row}.actual_status) END`;
}
