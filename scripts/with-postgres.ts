/**
 * `with-postgres.ts BIN_DIRECTORY COMMAND [ARGUMENT]...`: starts the PostgreSQL of that directory with throw-away data, runs the command with
 * TEST_DATABASE_URL set to it, and ends as the command ended.
 */
import { spawn } from "node:child_process";
import { startPostgres, withClient } from "../test/support/postgres.ts";

const [binDirectory, command, ...args] = process.argv.slice(2);
if (binDirectory === undefined || command === undefined) {
  console.error("usage: with-postgres.ts BIN_DIRECTORY COMMAND [ARGUMENT]...");
  process.exit(64);
}
const server = await startPostgres({ binDirectory });
const { rows } = await withClient(server.url, (client) => client.query<{ version: string }>("SELECT version()"));
console.log(rows[0]?.version);
const child = spawn(command, args, { stdio: "inherit", env: { ...process.env, TEST_DATABASE_URL: server.url } });
// Ctrl-C reaches the command by itself; we end after it.
process.on("SIGINT", () => undefined);
process.exitCode = await new Promise<number>((resolve, reject) => {
  child.once("error", reject);
  child.once("exit", (code) => resolve(code ?? 1));
});
await server.stop();
