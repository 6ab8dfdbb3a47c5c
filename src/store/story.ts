import type { ResourceKey } from "../core/identity.ts";
import type { ResourceStory } from "../core/ports.ts";
import type { ResourceEvent, ResourceRow } from "../core/row.ts";
import type { Side } from "../core/vocabulary.ts";
import { listDeadLetters } from "./dead-letters.ts";
import { decodeEvent, EVENT_COLUMNS, RESOURCE_COLUMNS } from "./resource-columns.ts";
import { storyReferences } from "./story-references.ts";
import { columnList, rowDecoder } from "./table-shape.ts";
import type { Sql } from "./transaction.ts";

/** Rows that one question by kind and name may answer with: enough to choose from. */
const FOUND_LIMIT = 20;

const decodeResource = rowDecoder<ResourceRow>(RESOURCE_COLUMNS);

export async function findResources(
  sql: Sql,
  query: { fabricId: string; kind: string; name: string; namespace?: string },
): Promise<ResourceRow[]> {
  const tuples = await sql.tuples(
    `SELECT ${columnList(RESOURCE_COLUMNS)} FROM fabric_sync.resource
      WHERE fabric_id = $1 AND kind = $2 AND name = $3 AND ($4::text IS NULL OR namespace = $4)
      ORDER BY api_group, namespace LIMIT ${FOUND_LIMIT}`,
    [query.fabricId, query.kind, query.name, query.namespace ?? null],
  );
  return tuples.map(decodeResource);
}

/** One resource with its newest events and its dead letters; null when the table never had it. */
export async function explainResource(sql: Sql, key: ResourceKey, limit: number): Promise<ResourceStory | null> {
  const [tuple] = await sql.tuples(
    `SELECT ${columnList(RESOURCE_COLUMNS)} FROM fabric_sync.resource
      WHERE fabric_id = $1 AND api_group = $2 AND kind = $3 AND namespace = $4 AND name = $5`,
    [key.fabricId, key.apiGroup, key.kind, key.namespace, key.name],
  );
  if (tuple === undefined) return null;
  const kept = decodeResource(tuple);
  // No column keeps it: a reference would have to write another row.
  const [counted] = await sql.rows<{ score: number }>(
    "SELECT dependency_score AS score FROM fabric_sync.resources WHERE fabric_id = $1 AND resource_id = $2",
    [key.fabricId, kept.id],
  );
  const row = { ...kept, dependencyScore: counted?.score ?? 0 };
  const events = await sql.tuples(
    `SELECT ${columnList(EVENT_COLUMNS)} FROM fabric_sync.resource_event
      WHERE fabric_id = $1 AND resource_id = $2 ORDER BY at DESC, xid DESC, seq DESC LIMIT $3`,
    [key.fabricId, row.id, limit],
  );
  const { fabricId, kind, namespace, name } = key;
  const letters = await listDeadLetters(sql, { fabricId, kind, namespace, name });
  return {
    row,
    events: events.map(decodeEvent),
    references: await storyReferences(sql, fabricId, row.id),
    deadLetters: letters.filter((letter) => letter.key.apiGroup === key.apiGroup),
  };
}

/**
 * The last event of one side at or before `at`: its image is what the side said then. Events hold whole images, so one row
 * answers; null when the side had not been seen. History outlives its subject: once maintenance has purged the row, which alone
 * knows the id that events are indexed by, the fabric's history is read through by key.
 */
export async function sideAsOf(sql: Sql, key: ResourceKey, side: Side, at: string): Promise<ResourceEvent | null> {
  const values = [key.fabricId, key.apiGroup, key.kind, key.namespace, key.name, side, at];
  const [tuple = (await sql.tuples(asOf(BY_KEY), values))[0]] = await sql.tuples(asOf(BY_ID), values);
  return tuple === undefined ? null : decodeEvent(tuple);
}

const BY_ID = `fabric_sync.resource r
       JOIN fabric_sync.resource_event e ON e.fabric_id = r.fabric_id AND e.resource_id = r.id
      WHERE r.fabric_id = $1 AND r.api_group = $2 AND r.kind = $3 AND r.namespace = $4 AND r.name = $5`;
const BY_KEY = `fabric_sync.resource_event e
      WHERE e.fabric_id = $1 AND e.api_group = $2 AND e.kind = $3 AND e.namespace = $4 AND e.name = $5`;

const asOf = (events: string): string => `
     SELECT ${columnList(EVENT_COLUMNS, "e.")} FROM ${events}
        AND e.side = $6 AND e.at <= $7 AND e.event_type <> 'reclassified'
      ORDER BY e.at DESC, e.xid DESC, e.seq DESC LIMIT 1`;
