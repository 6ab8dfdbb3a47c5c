import type { Command } from "commander";
import type { OnceResult } from "../controller/once.ts";
import { ALL_SETTINGS, configOf, parseCount, parseFabricName, withSettings } from "./command.ts";
import type { FabricName } from "./command.ts";
import { EXIT } from "./exit.ts";
import type { ExitCode } from "./exit.ts";
import type { Finish } from "./program.ts";
import { outJson } from "./shell.ts";
import type { Shell } from "./shell.ts";
import { syncText } from "./sync-view.ts";

interface SyncFlags {
  readonly fabric?: FabricName;
  readonly timeout: number;
  readonly json?: true;
}

/** `sync --once`: one complete pass, for cron and CI. */
export function addSync(program: Command, version: string, shell: Shell, finish: Finish): void {
  const command = program
    .command("sync")
    .description("one complete pass over every Fabric, without an operator; refuses while one is running")
    .requiredOption("--once", "say that one pass is meant; run does it for ever")
    .option("--fabric <namespace/name>", "only this Fabric", parseFabricName)
    .option("--timeout <seconds>", "for each Fabric", parseCount, 300)
    .option("--json", "print JSON");
  withSettings(command, ALL_SETTINGS).action(async (flags: SyncFlags) => {
    const config = await configOf(command, { database: true, cluster: true });
    const [{ runOnce }, { createLogger }] = await Promise.all([import("./once.ts"), import("../log.ts")]);
    // The answer is the table; of the log only what is wrong, unless more was asked for.
    const level = command.getOptionValue("logLevel") === undefined ? "warn" : config.logLevel;
    const results = await runOnce({
      ...{ config, version, log: createLogger({ level }), signal: shell.signal },
      deadlineMs: flags.timeout * 1_000,
      ...(flags.fabric === undefined ? {} : { fabric: `${flags.fabric.namespace}/${flags.fabric.name}` }),
    });
    finish(exitCodeOf(results));
    if (flags.json) outJson(shell, results);
    else shell.out(syncText(results));
  });
}

/** 2 when no Fabric could be taken in, 1 when some could not or not wholly. */
export function exitCodeOf(results: readonly Pick<OnceResult, "outcome">[]): ExitCode {
  const has = (outcome: OnceResult["outcome"]): boolean => results.some((result) => result.outcome === outcome);
  if (has("failed") && !has("well") && !has("partial")) return EXIT.failed;
  return has("failed") || has("partial") ? EXIT.notWell : EXIT.ok;
}
