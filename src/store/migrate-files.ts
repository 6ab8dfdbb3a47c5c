import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { FabricSyncError } from "../core/errors.ts";

/** One step of the schema, read from `drizzle/NNNN_name.sql` and `drizzle/NNNN_name.down.sql`. */
export interface Migration {
  readonly version: number;
  /** File name without `.sql`: `0001_core`. */
  readonly name: string;
  readonly up: Script;
  readonly down: Script;
  /** SHA-256 (hex) of the way up: an applied migration must not change. */
  readonly checksum: string;
}

export interface Script {
  readonly text: string;
  /** False for what Postgres refuses inside a transaction (`CREATE INDEX CONCURRENTLY`); each statement must then be repeatable. */
  readonly transactional: boolean;
}

export interface MigrationSet {
  /** Creates the journal; repeatable. */
  readonly journal: string;
  /** Ascending from 1 without gaps. */
  readonly migrations: readonly Migration[];
}

/** The first line of a script that runs outside of a transaction. */
const NO_TRANSACTION = "-- no-transaction";
const JOURNAL = "0000_journal.sql";
/** Beside the bundle (`dist/drizzle`), above it (the package), and above this file (the checkout). */
const CANDIDATES = ["./drizzle", "../drizzle", "../../drizzle"];

/** Where this program's migrations are, from the checkout or from the bundle. */
export function migrationsDirectory(): string {
  const directories = CANDIDATES.map((candidate) => fileURLToPath(new URL(candidate, import.meta.url)));
  const found = directories.find((directory) => existsSync(join(directory, JOURNAL)));
  if (found === undefined) {
    throw new FabricSyncError(
      "MigrationsMissing",
      "fatal",
      `no migrations beside this program: ${directories.join(", ")}`,
    );
  }
  return found;
}

/** @throws FabricSyncError `MigrationsBroken` when a file is missing, a number is used twice, or one is left out. */
export async function readMigrations(directory: string = migrationsDirectory()): Promise<MigrationSet> {
  const ups = (await readdir(directory)).filter((file) => /^\d{4}_\w+\.sql$/.test(file) && file !== JOURNAL).sort();
  const migrations = await Promise.all(
    ups.map(async (file): Promise<Migration> => {
      const name = file.slice(0, -".sql".length);
      const [up, down] = await Promise.all([
        readScript(join(directory, file)),
        readScript(join(directory, `${name}.down.sql`)),
      ]);
      const checksum = createHash("sha256").update(up.text).digest("hex");
      return { version: Number(file.slice(0, 4)), name, up, down, checksum };
    }),
  );
  migrations.forEach(({ version, name }, index) => {
    if (version !== index + 1) {
      throw new FabricSyncError("MigrationsBroken", "fatal", `${name} is not number ${index + 1} of the migrations`);
    }
  });
  return { journal: (await readScript(join(directory, JOURNAL))).text, migrations };
}

/** Statements of a script without a transaction, one at a time; drizzle's own separator. */
export function statementsOf(script: Script): string[] {
  return script.text
    .split("--> statement-breakpoint")
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "");
}

async function readScript(path: string): Promise<Script> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    throw new FabricSyncError("MigrationsBroken", "fatal", `cannot read ${path}`, { cause: error });
  }
  // A checkout with another line ending is the same migration.
  const unified = text.replaceAll("\r\n", "\n");
  return { text: unified, transactional: !unified.startsWith(NO_TRANSACTION) };
}
