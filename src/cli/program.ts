import { Command, CommanderError } from "commander";
import { FabricSyncError, messageOf } from "../core/errors.ts";
import { redactText } from "../core/redact.ts";
import { addDatabase } from "./database.ts";
import { addDeadLetter } from "./dead-letter.ts";
import { EXIT } from "./exit.ts";
import type { ExitCode } from "./exit.ts";
import { addExplain } from "./explain.ts";
import { addOrder } from "./order.ts";
import { addTopology } from "./topology.ts";
import { addLanded } from "./landed.ts";
import { addRun } from "./run.ts";
import type { Shell } from "./shell.ts";
import { addStatus } from "./status.ts";
import { addSync } from "./sync.ts";
import { addVerify } from "./verify.ts";

/** Says how the command went; the first one that speaks decides. */
export type Finish = (code: ExitCode) => void;

/** Errors of the command line and of the configuration. */
const USAGE_CODES: ReadonlySet<string> = new Set(["WrongUsage", "WrongConfiguration"]);

const EXIT_HELP = `
Exit codes: 0 done and well, 1 done but something is not well, 2 could not be done, 64 wrong usage.
Every flag that names a variable wins over it. Documentation: docs/cli.md, docs/configuration.md.`;

/**
 * Runs one command line and tells its exit code. Nothing is thrown: what went wrong is said on standard error.
 * @param args without the names of the interpreter and of the program.
 */
export async function runCommandLine(args: readonly string[], version: string, shell: Shell): Promise<ExitCode> {
  let code: ExitCode = EXIT.ok;
  const program = createProgram(version, shell, (finished) => {
    code = finished;
  });
  try {
    await program.parseAsync([...args], { from: "user" });
    return code;
  } catch (error) {
    return explainFailure(error, shell);
  }
}

export function createProgram(version: string, shell: Shell, finish: Finish): Command {
  const program = new Command("fabric-sync")
    .description("Mirrors network fabrics into Postgres: what Git wants beside what the cluster has.")
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: false, helpWidth: 100 })
    .addHelpText("after", EXIT_HELP);
  program.hook("preAction", (_program, command) => tellOfInterruption(command, shell));
  addRun(program, version, shell, finish);
  addSync(program, version, shell, finish);
  addStatus(program, shell, finish);
  addVerify(program, shell, finish);
  addExplain(program, shell, finish);
  addLanded(program, shell, finish);
  addTopology(program, shell);
  addOrder(program, shell, finish);
  addDeadLetter(program, shell, finish);
  addDatabase(program, shell, finish);
  for (const command of withSubcommands(program)) {
    command
      .exitOverride()
      .configureOutput({
        writeOut: (text) => shell.out(text),
        writeErr: (text) => shell.err(text),
        outputError: (text, write) => write(`fabric-sync: ${text.replace(/^error: /, "")}`),
      })
      .showHelpAfterError(`Try '${pathOf(command)} --help'.`)
      .allowExcessArguments(false);
  }
  return program;
}

/** The operator says it in its log. */
function tellOfInterruption(command: Command, shell: Shell): void {
  if (command.name() === "run") return;
  const tell = (): void => shell.err(`fabric-sync: ${messageOf(shell.signal.reason)}; a second signal ends at once\n`);
  shell.signal.addEventListener("abort", tell, { once: true });
}

function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)];
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

function explainFailure(error: unknown, shell: Shell): ExitCode {
  // commander has said what is wrong; help and version end here as well, with its code 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof FabricSyncError && USAGE_CODES.has(error.code)) {
    // Our own words: there is nothing of a value in them that must not be shown.
    shell.err(`fabric-sync: ${error.message}\n`);
    return EXIT.usage;
  }
  const code = error instanceof FabricSyncError ? ` (${error.code})` : "";
  shell.err(`fabric-sync: ${redactText(messageOf(error))}${code}\n`);
  // What is not raised on purpose is a bug, and is reported with its stack.
  if (code === "" && error instanceof Error) shell.err(`${redactText(error.stack ?? "")}\n`);
  return EXIT.failed;
}
