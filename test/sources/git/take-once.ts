/**
 * A process of its own that takes a repository's newest revision in and ends: `node take-once.ts '<TakeOnce as JSON>'`. Prints the revision and the
 * most memory that it had, MiB. What a test may kill in between, and a benchmark may weigh.
 */
import { readFileSync } from "node:fs";
import type { Logger } from "../../../src/core/telemetry.ts";
import { Pump } from "../../../src/pump/pump.ts";
import { GitSource } from "../../../src/sources/git/git-source.ts";
import { ManifestParser } from "../../../src/sources/git/reading/parser.ts";
import { RepositoryPool } from "../../../src/sources/git/repository/repository-pool.ts";
import type { TakeRules } from "../../../src/sources/git/take-rules.ts";
import { createPool } from "../../../src/store/pool.ts";
import { createStore } from "../../../src/store/store.ts";

export interface TakeOnce {
  readonly databaseUrl: string;
  readonly fabricId: string;
  readonly url: string;
  readonly ca: string;
  readonly cacheDirectory: string;
  readonly rules: TakeRules;
}

const { databaseUrl, fabricId, url, ca, cacheDirectory, rules } = JSON.parse(process.argv[2] ?? "{}") as TakeOnce;
const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet };
const labels = { namespace: "netops", fabric: "lab" };
const database = createPool({ connection: { connectionString: databaseUrl }, onConnectionError: () => undefined });
const store = createStore(database, { onRetry: () => undefined });
const fence = await store.acquireFence(fabricId, "take-once");
const stop = new AbortController();
const pump = new Pump({
  labels,
  store,
  fence: () => fence,
  policy: () => ({ driftMode: "local", reportExtra: true, direction: "observe", ignore: [], hasGit: true }),
  telemetry: { batchApplied: () => undefined, writeRetried: () => undefined },
  logger: quiet,
  signal: stop.signal,
});
const path = process.env["PATH"] ?? "";
const pool = new RepositoryPool({ cacheDirectory, path, httpsProxy: "", noProxy: "", logger: quiet });
const parser = new ManifestParser();
const source = new GitSource({
  fabricId,
  labels,
  url,
  ref: { branch: "main" },
  rules,
  intervalMs: 3_600_000,
  timeoutMs: 60_000,
  maxTransferBytes: 1_073_741_824,
  credentialsId: "",
  credentials: () => Promise.resolve({ "ca.crt": ca }),
  pool,
  parser,
  scopes: { scopeOf: () => "namespaced" },
  store,
  dropCursor: (scope) => store.dropCursor(fence, "git", scope),
  runs: store,
  sink: pump.revisions,
  telemetry: { gitOperation: () => undefined },
  heartbeats: { register: () => ({ beat: () => undefined, end: () => undefined }) },
  log: quiet,
  onChange: () => undefined,
});
const running = source.run(stop.signal);
await source.trigger("git_poll");
console.log(source.status().revision, Math.round(peakKiB() / 1024));
stop.abort();
await running;
await Promise.all([pool.close(), parser.close(), database.end()]);

/** Of this program. Linux counts to a process's `maxRSS` what its parent had when it started it, which for a benchmark is more. */
function peakKiB(): number {
  if (process.platform !== "linux") return process.resourceUsage().maxRSS;
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "latin1"))?.[1]);
}
