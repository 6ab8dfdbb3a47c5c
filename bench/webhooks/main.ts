/**
 * What webhooks with bad signatures cost: `node bench/webhooks/main.ts [SECONDS]`, default 10, twice.
 *
 * 1,000 deliveries a second from another process, half of them for a Fabric that there is and half for one that there is not, against the
 * real HTTP server and handler; beside it the same requests against a route that answers 401 and looks at nothing.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { problem } from "../../src/http/answer.ts";
import { startHttpServer } from "../../src/http/server.ts";
import type { Route } from "../../src/http/routes.ts";
import { MAX_WEBHOOK_BYTES, WebhookHandler } from "../../src/http/webhooks/handler.ts";

const SECONDS = Number(process.argv[2] ?? 10);
const RATE = 1_000;

interface Cost {
  readonly answered: number;
  /** ms of CPU a second. */
  readonly cpu: number;
  readonly p99: number;
}

const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log };
const counted = new Map<string, number>();
let secretReads = 0;
let queries = 0;

const handler = new WebhookHandler({
  lookup: (_namespace, fabric) =>
    fabric !== "lab"
      ? null
      : {
          key: "netops/lab",
          provider: "github",
          readSecrets: () => Promise.resolve([`the-secret-${(secretReads += 1)}`]),
          recordDelivery: () => Promise.resolve((queries += 1) > 0),
          hint: () => undefined,
        },
  telemetry: { webhook: (result) => void counted.set(result, (counted.get(result) ?? 0) + 1) },
});
const bare: Route = {
  method: "POST",
  pattern: "/webhooks/{namespace}/{fabric}",
  maxBodyBytes: MAX_WEBHOOK_BYTES,
  handle: () => Promise.resolve(problem(401, "no")),
};

async function flood(route: Route): Promise<Cost> {
  const server = await startHttpServer({ listen: { host: "127.0.0.1", port: 0 }, routes: [route], log });
  const url = `http://127.0.0.1:${server.address.port}/webhooks/netops`;
  const sender = spawn(process.execPath, [fileURLToPath(new URL("sender.ts", import.meta.url)), url, String(SECONDS)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  sender.stdout.on("data", (piece: Buffer) => (said += piece.toString()));
  // Its connections are made.
  await once(sender.stdout, "data");
  const before = process.cpuUsage();
  const begun = performance.now();
  await once(sender, "close");
  const { user, system } = process.cpuUsage(before);
  const seconds = (performance.now() - begun) / 1_000;
  await server.close(0);
  const { answered, p99 } = JSON.parse(said.split("\n")[1] ?? "{}") as { answered: number; p99: number };
  return { answered, cpu: (user + system) / 1_000 / seconds, p99 };
}

const floor = await flood(bare);
const ours = await flood(handler.route());
console.log(`| ${RATE} bad deliveries a second for ${SECONDS} s | webhooks | a route that answers 401 |`);
console.log("| --- | --- | --- |");
console.log(`| answered a second | ${ours.answered / SECONDS} | ${floor.answered / SECONDS} |`);
console.log(`| CPU, ms a second | ${ours.cpu.toFixed(0)} | ${floor.cpu.toFixed(0)} |`);
console.log(
  `| p99 of an answer, ms (a refusal takes 100 on purpose) | ${ours.p99.toFixed(0)} | ${floor.p99.toFixed(0)} |`,
);
console.log(`| readings of the Secret | ${secretReads} | |`);
console.log(`| questions to the database | ${queries} | |`);
console.log(`| counted as refused | ${counted.get("refused") ?? 0} | |`);
const held = queries === 0 && secretReads <= 2 * (SECONDS + 2) && ours.answered === SECONDS * RATE;
console.log(held ? "held" : "NOT HELD");
process.exitCode = held ? 0 : 1;
