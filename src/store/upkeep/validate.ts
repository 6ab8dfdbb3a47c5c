import { withSession, type Database, type Session } from "../migrate-connection.ts";
import { readMigrations, type MigrationSet } from "../migrate-files.ts";
import { appliedVersion, checkJournal, readJournal } from "../migrate-journal.ts";
import {
  columnsWithoutDefault,
  constraintsNotHolding,
  danglingRows,
  foreignKeys,
  presentColumns,
  presentConstraints,
} from "./catalogue.ts";
import { expectedTables } from "./expected.ts";
import { check, noneOf, reportOf, type Report, type Verdict } from "./report.ts";

export interface ValidateReport extends Report {
  /** Rows a table, counted. */
  readonly rows: Readonly<Record<string, number>>;
}

/** Tables whose rows are made of a resource's. */
const PROJECTION = /^(device|device_\w+|link|resource_edge|profile_port|vpc_subnet|dhcp_lease)$/;

/**
 * Asks the catalogue and every row whether the schema holds what it promises. Reads only; on a large database it takes as long
 * as reading the keys of every table once.
 */
export async function validate(database: Database, options: { directory?: string } = {}): Promise<ValidateReport> {
  const set = await readMigrations(options.directory);
  return withSession(database, async (session) => {
    const checks = [
      await check("schema_version", () => schemaVersion(session, set)),
      await check("schema_complete", () => schemaComplete(session)),
      await check("columns_without_default", async () =>
        noneOf("NOT NULL columns without a default", await columnsWithoutDefault(session)),
      ),
      await check("constraints_hold", async () =>
        noneOf("constraints or indexes that are not in force", await constraintsNotHolding(session)),
      ),
      await check("references", () =>
        dangling(session, "references that dangle", (table) => table !== "cursor" && !PROJECTION.test(table)),
      ),
      await check("projections", () =>
        dangling(session, "projections without parent", (table) => PROJECTION.test(table)),
      ),
      await check("cursors", () => dangling(session, "cursors without fabric", (table) => table === "cursor")),
      await check("sides", () => halfSides(session)),
      await check("git_files", () => unaccountedFiles(session)),
    ];
    const rows: Record<string, number> = {};
    checks.push(
      await check("row_counts", async () => {
        Object.assign(rows, await rowCounts(session));
        return { status: "ok", message: `${Object.values(rows).reduce((sum, count) => sum + count, 0)} rows` };
      }),
    );
    return { ...reportOf(checks), rows };
  });
}

async function schemaVersion(session: Session, set: MigrationSet): Promise<Verdict> {
  const journal = await readJournal(session);
  checkJournal(journal, set);
  const applied = appliedVersion(journal);
  const needed = set.migrations.length;
  const interrupted = journal.find((entry) => entry.state !== "applied");
  if (interrupted !== undefined) {
    return { status: "failed", message: `${interrupted.name} was interrupted: run fabric-sync db migrate` };
  }
  if (applied < needed) {
    return { status: "failed", message: `at migration ${applied} of ${needed}: run fabric-sync db migrate` };
  }
  return { status: "ok", message: `at migration ${applied} of ${needed}` };
}

async function schemaComplete(session: Session): Promise<Verdict> {
  const [columns, constraints] = [await presentColumns(session), await presentConstraints(session)];
  const missing = expectedTables().flatMap((table) => [
    ...table.columns.map((column) => `${table.name}.${column.name}`).filter((column) => !columns.has(column)),
    ...[...table.constraints, ...table.indexes]
      .map((name) => `${table.name}.${name}`)
      .filter((name) => !constraints.has(name)),
  ]);
  return noneOf("columns, constraints or indexes that are missing", missing);
}

async function dangling(session: Session, what: string, ofTable: (table: string) => boolean): Promise<Verdict> {
  const findings: string[] = [];
  let total = 0;
  for (const key of await foreignKeys(session)) {
    if (!ofTable(key.child)) continue;
    const rows = await danglingRows(session, key);
    if (rows > 0) findings.push(`${key.child}: ${rows} without ${key.parent} (${key.name})`);
    total += rows;
  }
  if (total === 0) return { status: "ok", message: `no ${what}` };
  return { status: "failed", message: `${total} ${what}`, findings };
}

/** A side is there with its hash, or gone without one. */
async function halfSides(session: Session): Promise<Verdict> {
  const rows = await session.rows<{ name: string }>(`
    SELECT concat_ws('/', kind, namespace, name) AS name FROM fabric_sync.resource
     WHERE (desired_spec IS NULL) <> (desired_hash = '') OR (actual_spec IS NULL) <> (actual_hash = '')
     ORDER BY fabric_id, api_group, kind, namespace, name`);
  return noneOf(
    "resources with half a side",
    rows.map(({ name }) => name),
  );
}

/** Invariant 11: every document of a file is declared or refused. */
async function unaccountedFiles(session: Session): Promise<Verdict> {
  const rows = await session.rows<{ path: string }>(`
    SELECT path FROM fabric_sync.git_file
     WHERE parsed AND documents <> jsonb_array_length(keys) + jsonb_array_length(rejections)
     ORDER BY fabric_id, path`);
  return noneOf(
    "Git files with documents that are neither declared nor refused",
    rows.map(({ path }) => path),
  );
}

async function rowCounts(session: Session): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { name } of expectedTables()) {
    const [row] = await session.rows<{ rows: number }>(`SELECT count(*) AS rows FROM fabric_sync.${name}`);
    counts[name] = row?.rows ?? 0;
  }
  return counts;
}
