#!/usr/bin/env node
/** The entry: one command line, one AbortController, one exit code. `cli/` has the commands, `cli/run.ts` builds the operator. */
import process from "node:process";
import { setFlagsFromString } from "node:v8";
import packageJson from "../package.json" with { type: "json" };
import { EXIT } from "./cli/exit.ts";
import { runCommandLine } from "./cli/program.ts";
import { FabricSyncError } from "./core/errors.ts";
import { createLogger } from "./log.ts";

// Objects pass through, none is kept, so there is always much garbage and little else. Left to itself V8 lets the heap grow to several times what
// is alive before it collects: 220 MiB resident while 10,000 objects are read, against 145 (bench/watch), for a fifth more of CPU meanwhile.
setFlagsFromString("--heap-growing-percent=60");

const stopping = new AbortController();

// The first signal asks to finish in order, the second ends at once, as a shell tells it: 128 + the signal's number.
for (const [name, number] of [
  ["SIGINT", 2],
  ["SIGTERM", 15],
] as const) {
  process.on(name, () => {
    if (stopping.signal.aborted) process.exit(128 + number);
    stopping.abort(new FabricSyncError("Interrupted", "fatal", `interrupted by ${name}`));
  });
}

// A promise nobody waits for, or a listener that throws: what we know of our own state is wrong, so nothing goes on.
for (const event of ["unhandledRejection", "uncaughtException"] as const) {
  process.on(event, (error: unknown) => {
    createLogger({ level: "error" }).error({ error, event }, "fatal: an error that nothing expected");
    process.exit(EXIT.failed);
  });
}

// `fabric-sync status | head` closes the pipe early; that is no error of ours.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(EXIT.ok);
  throw error;
});

/** After an interruption: what is still open then, a statement that hangs perhaps, is not waited for (ms). */
const LINGER_MS = 500;

process.exitCode = await runCommandLine(process.argv.slice(2), packageJson.version, {
  signal: stopping.signal,
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
});
if (stopping.signal.aborted) setTimeout(() => process.exit(), LINGER_MS).unref();
