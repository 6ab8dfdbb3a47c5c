import type { Command } from "commander";
import type { Pool } from "pg";
import type { Config } from "../config.ts";
import type { MigrateReport } from "../store/migrate.ts";
import type { Report } from "../store/upkeep/report.ts";
import { abortable } from "../core/pause.ts";
import { configOf, DATABASE_SETTINGS, parseCount, withSettings } from "./command.ts";
import { checksText, migrationText } from "./database-view.ts";
import { EXIT } from "./exit.ts";
import { addRebuild } from "./rebuild.ts";
import type { Finish } from "./program.ts";
import { outJson } from "./shell.ts";
import type { Shell } from "./shell.ts";

/** `db …`: the database as its administrator meets it. */
export function addDatabase(program: Command, shell: Shell, finish: Finish): void {
  const group = program.command("db").description("the database: migrate it, check it, keep it in order");
  addMigrate(group, shell);
  addRollback(group, shell);
  addRebuild(group, shell);
  addCheck(group, shell, finish, {
    name: "validate",
    description: "is the schema as this program made it, and does every row have what it refers to",
    run: async (pool) => (await import("../store/upkeep/validate.ts")).validate(pool),
  });
  addCheck(group, shell, finish, {
    name: "selftest",
    description: "write a smallest and a largest row as the operator does, and take them back",
    run: async (pool) => (await import("../store/upkeep/selftest.ts")).selftest(pool),
  });
  addCheck(group, shell, finish, {
    name: "health",
    description: "the server, its version, its settings, and what will be full or late soon",
    run: async (pool) => (await import("../store/upkeep/health.ts")).health(pool),
  });
  addCheck(group, shell, finish, {
    name: "maintain",
    description: "make the history's next partitions, drop what is past its retention; the operator does it by itself",
    run: async (pool) => (await import("../store/upkeep/maintain.ts")).maintain(pool, { signal: shell.signal }),
  });
}

function addMigrate(group: Command, shell: Shell): void {
  const command = group
    .command("migrate")
    .description("bring the database to this program's migration; safe to run at once from many places")
    .option("--to <version>", "stop at this migration", parseCount)
    .option("--json", "print JSON");
  withSettings(command, DATABASE_SETTINGS).action(async (options: { json?: true; to?: number }) => {
    const config = await databaseConfig(command);
    const [{ withPool }, { migrate }] = await Promise.all([import("./store.ts"), import("../store/migrate.ts")]);
    const to = options.to === undefined ? {} : { to: options.to };
    const report = await withPool(config, (pool) => migrate(pool, { ...to, signal: shell.signal }));
    tellMigration(shell, report, options.json);
  });
}

function addRollback(group: Command, shell: Shell): void {
  const command = group
    .command("rollback")
    .description("take the database back; what later migrations brought is lost (docs/runbook-migrations.md)")
    .requiredOption("--to <version>", "the migration to go back to", parseCount)
    .option("--json", "print JSON");
  withSettings(command, DATABASE_SETTINGS).action(async (options: { json?: true; to: number }) => {
    const config = await databaseConfig(command);
    const [{ withPool }, { rollback }] = await Promise.all([import("./store.ts"), import("../store/migrate.ts")]);
    const report = await withPool(config, (pool) => rollback(pool, options.to, { signal: shell.signal }));
    tellMigration(shell, report, options.json);
  });
}

interface CheckCommand {
  readonly name: string;
  readonly description: string;
  run(pool: Pool): Promise<Report>;
}

function addCheck(group: Command, shell: Shell, finish: Finish, { name, description, run }: CheckCommand): void {
  const command = group.command(name).description(description).option("--json", "print JSON");
  withSettings(command, DATABASE_SETTINGS).action(async (options: { json?: true }) => {
    const config = await databaseConfig(command);
    const { withPool } = await import("./store.ts");
    const report = await withPool(config, (pool) => abortable(run(pool), shell.signal));
    if (!report.ok) finish(report.couldNotRun ? EXIT.failed : EXIT.notWell);
    if (options.json) outJson(shell, report);
    else shell.out(checksText(report));
  });
}

function databaseConfig(command: Command): Promise<Config> {
  return configOf(command, { database: true, cluster: false });
}

function tellMigration(shell: Shell, report: MigrateReport, json: true | undefined): void {
  if (json) outJson(shell, report);
  else shell.out(migrationText(report));
}
