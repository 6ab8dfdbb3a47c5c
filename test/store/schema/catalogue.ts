import type { Client } from "pg";

/** One line for each fact of schema `fabric_sync`, sorted: two catalogues are equal when these are. */
export async function catalogueOf(client: Client, facts: readonly Fact[] = FACTS): Promise<string[]> {
  const lines: string[] = [];
  for (const [name, query] of facts) {
    const { rows } = await client.query<{ fact: string }>(query);
    lines.push(...rows.map(({ fact }) => `${name} ${fact}`));
  }
  return lines.sort();
}

type Fact = readonly [name: string, query: string];

const OURS = "c.relnamespace = 'fabric_sync'::regnamespace";

/** Columns with type, collation, nullability and default; constraints and indexes by their definition. */
export const STRUCTURE: readonly Fact[] = [
  [
    "column",
    `SELECT concat_ws(' ', c.relname || '.' || a.attname, format_type(a.atttypid, a.atttypmod),
              (SELECT collname FROM pg_collation WHERE oid = a.attcollation),
              CASE WHEN a.attnotnull THEN 'NOT NULL' END, pg_get_expr(d.adbin, d.adrelid)) AS fact
       FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
       LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
      WHERE ${OURS} AND c.relkind IN ('r', 'p') AND NOT c.relispartition`,
  ],
  [
    "constraint",
    `SELECT concat_ws(' ', c.relname || '.' || k.conname, pg_get_constraintdef(k.oid)) AS fact
       FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
      WHERE ${OURS} AND NOT c.relispartition AND k.contype <> 'n'`,
  ],
  [
    "index",
    `SELECT replace(pg_get_indexdef(x.indexrelid), ' ON ONLY ', ' ON ') AS fact
       FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid
      WHERE ${OURS} AND NOT c.relispartition`,
  ],
];

/** With partitions, storage, comments, rights, views, sequences, triggers and functions. */
export const FACTS: readonly Fact[] = [
  ...STRUCTURE,
  [
    "relation",
    `SELECT concat_ws(' ', c.relkind, c.relname, c.reloptions::text, c.relpersistence, c.relrowsecurity,
              (SELECT string_agg(acl::text, ',' ORDER BY acl::text) FROM unnest(c.relacl) AS acl),
              pg_get_expr(c.relpartbound, c.oid), pg_get_partkeydef(c.oid)) AS fact
       FROM pg_class c WHERE ${OURS}`,
  ],
  [
    "storage",
    `SELECT concat_ws(' ', c.relname || '.' || a.attname, a.attnum, a.attstorage, a.attcompression, a.attstattarget) AS fact
       FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      WHERE ${OURS} AND c.relkind IN ('r', 'p')`,
  ],
  [
    "comment",
    `SELECT concat_ws(' ', pg_describe_object(classoid, objoid, objsubid), description) AS fact
       FROM pg_description
      WHERE pg_describe_object(classoid, objoid, objsubid) LIKE '%fabric_sync%'`,
  ],
  [
    "view",
    `SELECT concat_ws(' ', c.relname, pg_get_viewdef(c.oid)) AS fact FROM pg_class c WHERE ${OURS} AND c.relkind = 'v'`,
  ],
  [
    "sequence",
    `SELECT concat_ws(' ', c.relname, s.seqtypid::regtype, s.seqstart, s.seqincrement, s.seqmax, s.seqcache, s.seqcycle) AS fact
       FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid WHERE ${OURS}`,
  ],
  [
    "trigger",
    `SELECT concat_ws(' ', c.relname, k.conname, t.tgtype, t.tgenabled, t.tgfoid::regproc) AS fact
       FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid LEFT JOIN pg_constraint k ON k.oid = t.tgconstraint WHERE ${OURS}`,
  ],
  [
    "function",
    `SELECT p.oid::regprocedure::text AS fact FROM pg_proc p WHERE p.pronamespace = 'fabric_sync'::regnamespace`,
  ],
  ["schema", `SELECT concat_ws(' ', nspname, nspacl::text) AS fact FROM pg_namespace WHERE nspname = 'fabric_sync'`],
];
