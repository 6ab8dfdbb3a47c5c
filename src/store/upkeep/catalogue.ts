import type { Session } from "../migrate-connection.ts";

/** NOT NULL columns of our tables that an INSERT cannot leave out, as `table.column`. */
export async function columnsWithoutDefault(session: Session): Promise<string[]> {
  const rows = await session.rows<{ column: string }>(`
    SELECT c.relname || '.' || a.attname AS column
      FROM pg_class c
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     WHERE c.relnamespace = 'fabric_sync'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
       AND a.attnotnull AND NOT a.atthasdef AND a.attidentity = ''
     ORDER BY 1`);
  return rows.map(({ column }) => column);
}

/** Columns that are there, as `table.column`. */
export async function presentColumns(session: Session): Promise<ReadonlySet<string>> {
  const rows = await session.rows<{ column: string }>(`
    SELECT c.relname || '.' || a.attname AS column
      FROM pg_class c
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     WHERE c.relnamespace = 'fabric_sync'::regnamespace AND c.relkind IN ('r', 'p')`);
  return new Set(rows.map(({ column }) => column));
}

/** Constraints and indexes that are there, as `table.name`. */
export async function presentConstraints(session: Session): Promise<ReadonlySet<string>> {
  const rows = await session.rows<{ name: string }>(`
    SELECT c.relname || '.' || k.conname AS name
      FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
     WHERE c.relnamespace = 'fabric_sync'::regnamespace
    UNION
    SELECT c.relname || '.' || i.relname
      FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
     WHERE c.relnamespace = 'fabric_sync'::regnamespace`);
  return new Set(rows.map(({ name }) => name));
}

/**
 * Constraints that are written down and do not hold: not validated, not enforced (PostgreSQL 18), foreign keys whose triggers
 * are off, and indexes that a failed build left invalid.
 */
export async function constraintsNotHolding(session: Session): Promise<string[]> {
  const rows = await session.rows<{ name: string }>(`
    SELECT c.relname || '.' || k.conname AS name
      FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
     WHERE c.relnamespace = 'fabric_sync'::regnamespace
       AND (NOT k.convalidated OR NOT coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true))
    UNION
    SELECT c.relname || '.' || coalesce(k.conname, t.tgname)
      FROM pg_trigger t
      JOIN pg_class c ON c.oid = t.tgrelid
      LEFT JOIN pg_constraint k ON k.oid = t.tgconstraint
     WHERE c.relnamespace = 'fabric_sync'::regnamespace AND t.tgenabled NOT IN ('O', 'A')
    UNION
    SELECT c.relname || '.' || i.relname
      FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
     WHERE c.relnamespace = 'fabric_sync'::regnamespace AND NOT (x.indisvalid AND x.indisready)
     ORDER BY 1`);
  return rows.map(({ name }) => name);
}

export interface ForeignKey {
  readonly name: string;
  readonly child: string;
  readonly parent: string;
  /** Quoted, ready for SQL, in the order of `parentColumns`. */
  readonly childColumns: readonly string[];
  readonly parentColumns: readonly string[];
}

/** The foreign keys of our tables, without those of single partitions. */
export async function foreignKeys(session: Session): Promise<ForeignKey[]> {
  return session.rows<ForeignKey>(`
    SELECT k.conname AS name, child.relname AS child, parent.relname AS parent,
           ARRAY(SELECT quote_ident(a.attname) FROM unnest(k.conkey) WITH ORDINALITY AS u (attnum, place)
                   JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.attnum ORDER BY place) AS "childColumns",
           ARRAY(SELECT quote_ident(a.attname) FROM unnest(k.confkey) WITH ORDINALITY AS u (attnum, place)
                   JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.attnum ORDER BY place) AS "parentColumns"
      FROM pg_constraint k
      JOIN pg_class child ON child.oid = k.conrelid
      JOIN pg_class parent ON parent.oid = k.confrelid
     WHERE k.contype = 'f' AND child.relnamespace = 'fabric_sync'::regnamespace AND k.conparentid = 0
     ORDER BY 1`);
}

/** How many rows of the child have no parent. Asks the rows and not the constraint: it may have been off. */
export async function danglingRows(session: Session, key: ForeignKey): Promise<number> {
  const match = key.childColumns.map((column, index) => `p.${key.parentColumns[index]} = c.${column}`).join(" AND ");
  const given = key.childColumns.map((column) => `c.${column} IS NOT NULL`).join(" AND ");
  const [row] = await session.rows<{ dangling: number }>(`
    SELECT count(*) AS dangling FROM fabric_sync.${key.child} c
     WHERE ${given} AND NOT EXISTS (SELECT FROM fabric_sync.${key.parent} p WHERE ${match})`);
  return row?.dangling ?? 0;
}
