/**
 * `with-postgres.ts [--pooler] BIN_DIRECTORY COMMAND [ARGUMENT]...`: starts the PostgreSQL of that directory with throw-away data, runs the command
 * with TEST_DATABASE_URL set to it, and ends as the command ended. With `--pooler` a pgbouncer in transaction mode stands before it, and
 * TEST_POOLER is set to its address.
 */
import { spawn } from "node:child_process";
import { POOLER_VARIABLE, startPooler } from "../test/support/pooler.ts";
import { startPostgres, withClient } from "../test/support/postgres.ts";

const given = process.argv.slice(2);
const pooled = given[0] === "--pooler";
const [binDirectory, command, ...args] = pooled ? given.slice(1) : given;
if (binDirectory === undefined || command === undefined) {
  console.error("usage: with-postgres.ts [--pooler] BIN_DIRECTORY COMMAND [ARGUMENT]...");
  process.exit(64);
}
const server = await startPostgres({ binDirectory });
const { rows } = await withClient(server.url, (client) => client.query<{ version: string }>("SELECT version()"));
console.log(rows[0]?.version);
const pooler = pooled ? await startPooler(server.url) : undefined;
if (pooler !== undefined) console.log(`through pgbouncer in transaction mode at ${pooler.address}`);
const child = spawn(command, args, {
  stdio: "inherit",
  env: {
    ...process.env,
    TEST_DATABASE_URL: server.url,
    ...(pooler === undefined ? {} : { [POOLER_VARIABLE]: pooler.address }),
  },
});
// Ctrl-C reaches the command by itself; we end after it.
process.on("SIGINT", () => undefined);
process.exitCode = await new Promise<number>((resolve, reject) => {
  child.once("error", reject);
  child.once("exit", (code) => resolve(code ?? 1));
});
await pooler?.stop();
await server.stop();
