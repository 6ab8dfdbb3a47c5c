import { is, type SQL } from "drizzle-orm";
import { getTableConfig, PgDialect, PgTable } from "drizzle-orm/pg-core";
import { readMigrations } from "../migrate-files.ts";
import * as tables from "./tables.ts";

/** Thirty-one columns that people and tools ask for by name, and the fabric: each has its home in `resource`. */
const KNOWN_NAMES = [
  ...["managed_file_path", "file_hash", "sync_direction", "conflict_status", "conflict_details"],
  ...["external_modifications", "sync_metadata", "actual_resource_version", "annotations", "api_version"],
  ...["custom_field_data", "dependency_score", "desired_commit", "desired_file_path", "drift_details", "drift_score"],
  ...["drift_severity", "drift_status", "first_seen", "kind", "labels", "last_state_change", "last_sync_error"],
  ...["last_synced_commit", "name", "namespace", "reconciliation_attempts", "relationship_metadata"],
  ...["resource_state", "state_change_reason", "sync_attempts", "fabric_id"],
];

/** A table, a column or an index as its COMMENT tells it. */
interface Told {
  readonly meaning: string;
  /** Why the default is what it is, or what NULL means. */
  readonly why: string;
  readonly writer: string;
}

/** The text of `docs/schema.md`: the columns from the drizzle tables, the words from the comments of the migrations. */
export async function schemaDocument(): Promise<string> {
  const { journal, migrations } = await readMigrations();
  const scripts = [journal, ...migrations.map(({ up }) => up.text)].join("\n");
  const comments = commentsOf(scripts);
  const ours = Object.values(tables).filter((table) => is(table, PgTable));
  const rows = new Map(ours.map((table) => [getTableConfig(table).name, columnRows(table, comments)]));
  const resource = rows.get("resource") ?? new Map<string, string>();
  const known = KNOWN_NAMES.map((name) => {
    const row = resource.get(name);
    if (row === undefined) throw new Error(`resource has no column ${name}`);
    return row;
  });
  return [
    "# The schema",
    "Made by `npm run generate` from `src/store/schema` and the comments in `drizzle/`; do not edit.",
    "Everything is in the schema `fabric_sync`. Every NOT NULL column has a default, and every default is a value that the " +
      "column's own CHECK allows. Columns that must be given default to a value that a CHECK named " +
      "`<table>_<column>_required` refuses, so that leaving one out fails by name.",
    "## The columns that people ask for",
    "Thirty-one columns of `resource`, and the fabric; all of them are in its table below, too.",
    table([...known]),
    "## Tables",
    ...ours.flatMap((one) => tableSection(one, comments, rows)),
    "## Views",
    "Read-only, for people; the role `fabric_sync_reader` may read them and nothing else.",
    ...viewSections(comments),
  ]
    .join("\n\n")
    .concat("\n");
}

const HEADER =
  "| column | type | null | default | meaning | why this default, or what NULL means | written by |\n| --- | --- | --- | --- | --- | --- | --- |";

function table(rows: readonly string[]): string {
  return [HEADER, ...rows].join("\n");
}

function columnRows(one: PgTable, comments: ReadonlyMap<string, string>): Map<string, string> {
  const { name, columns } = getTableConfig(one);
  return new Map(
    columns.map((column) => {
      const told = tellColumn(comments.get(`COLUMN ${name}.${column.name}`) ?? "");
      const initial = column.hasDefault ? code(defaultText(column.default)) : "none";
      const cells = [
        code(column.name),
        column.getSQLType(),
        column.notNull ? "no" : "yes",
        initial,
        told.meaning,
        told.why,
        told.writer,
      ];
      return [column.name, `| ${cells.map(cell).join(" | ")} |`];
    }),
  );
}

function tableSection(
  one: PgTable,
  comments: ReadonlyMap<string, string>,
  rows: ReadonlyMap<string, ReadonlyMap<string, string>>,
): string[] {
  const { name, primaryKeys, indexes } = getTableConfig(one);
  const keys = primaryKeys.map((key) => `Key: ${key.columns.map((column) => code(column.name)).join(", ")}.`);
  const list = indexes.map(
    ({ config }) => `- ${code(config.name ?? "")}: ${comments.get(`INDEX ${config.name}`) ?? ""}`,
  );
  return [
    `### ${name}`,
    comments.get(`TABLE ${name}`) ?? "",
    ...keys,
    ...(list.length === 0 ? [] : [`Indexes beside the key:\n\n${list.join("\n")}`]),
    table([...(rows.get(name)?.values() ?? [])]),
  ];
}

function viewSections(comments: ReadonlyMap<string, string>): string[] {
  const views = [...comments].filter(([subject]) => subject.startsWith("VIEW "));
  return views.flatMap(([subject, meaning]) => {
    const name = subject.slice("VIEW ".length);
    const columns = [...comments].filter(([column]) => column.startsWith(`COLUMN ${name}.`));
    return [
      `### ${name}`,
      meaning,
      columns
        .map(([column, text]) => `- ${code(column.slice(`COLUMN ${name}.`.length).replaceAll('"', ""))}: ${text}`)
        .join("\n"),
    ];
  });
}

/** `COMMENT ON COLUMN fabric_sync.t.c IS '…'` as `COLUMN t.c` → text; the last one counts. */
function commentsOf(scripts: string): Map<string, string> {
  const found = scripts.matchAll(/^COMMENT ON (\w+) fabric_sync\.([\w."]+) IS '((?:[^']|'')*)';$/gm);
  return new Map([...found].map(([, kind, name, text = ""]) => [`${kind} ${name}`, text.replaceAll("''", "'")]));
}

function tellColumn(comment: string): Told {
  const match = /^(.*) (?:Default|NULL): (.*)\. Writer: (.*)\.$/.exec(comment);
  if (match === null) throw new Error(`a column's comment says not why and who: ${comment}`);
  const [, meaning = "", why = "", writer = ""] = match;
  return { meaning, why, writer };
}

function defaultText(value: unknown): string {
  if (typeof value === "object" && value !== null) return new PgDialect().sqlToQuery(value as SQL).sql;
  return typeof value === "string" ? `'${value}'` : String(value);
}

function code(text: string): string {
  return `\`${text}\``;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}
