import type { Command } from "commander";
import { messageOf } from "../core/errors.ts";
import { ALL_SETTINGS, configOf, withSettings } from "./command.ts";
import { EXIT } from "./exit.ts";
import type { Finish } from "./program.ts";
import type { Shell } from "./shell.ts";

/** `run`: the operator, until it is told to end. */
export function addRun(program: Command, version: string, shell: Shell, finish: Finish): void {
  const command = program.command("run").description("run the operator until SIGTERM or SIGINT");
  withSettings(command, ALL_SETTINGS).action(async () => {
    const config = await configOf(command, { database: true, cluster: true });
    const [{ runOperator }, { createLogger }] = await Promise.all([import("./operator.ts"), import("../log.ts")]);
    const log = createLogger({ level: config.logLevel });
    log.info({ version, identity: config.identity, namespaces: config.namespaces }, "starting");
    shell.signal.addEventListener("abort", () => log.info({ reason: messageOf(shell.signal.reason) }, "ending"), {
      once: true,
    });
    const whole = await runOperator({ config, version, log, signal: shell.signal });
    log.info({}, "ended");
    if (!whole) finish(EXIT.notWell);
  });
}
