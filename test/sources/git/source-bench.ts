import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ReducePolicy } from "../../../src/core/policy.ts";
import type { Revision, RevisionSink } from "../../../src/core/streams.ts";
import type { Logger } from "../../../src/core/telemetry.ts";
import { Pump } from "../../../src/pump/pump.ts";
import { GitSource } from "../../../src/sources/git/git-source.ts";
import type { GitSourceOptions } from "../../../src/sources/git/git-source.ts";
import { ManifestParser } from "../../../src/sources/git/reading/parser.ts";
import { RepositoryPool } from "../../../src/sources/git/repository/repository-pool.ts";
import type { Scope } from "../../../src/sources/git/scopes.ts";
import type { TakeRules } from "../../../src/sources/git/take-rules.ts";
import { type GitServer, startGitServer, type TestRepository } from "../../support/git-server.ts";
import type { TestDatabase } from "../../support/postgres.ts";
import { openStore, POLICY, type StoreFixture } from "../../store/fixture.ts";

export const RULES: TakeRules = {
  path: ".",
  include: ["**/*.yaml", "**/*.yml", "**/*.json"],
  exclude: [],
  limits: { maxFiles: 20_000, maxFileBytes: 1_048_576, maxTotalBytes: 67_108_864, maxDocuments: 50_000 },
  allowEmptying: false,
  defaultNamespace: "default",
};

export const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet };

/** A Git server, a database with one fabric, and what sources of that fabric share. */
export interface SourceBench extends AsyncDisposable {
  readonly server: GitServer;
  readonly fixture: StoreFixture;
  readonly pool: RepositoryPool;
  readonly parser: ManifestParser;
  readonly cache: string;
  /** Kinds that the cluster serves, `group/kind`; what is not here is unknown. */
  readonly served: Map<string, Scope>;
  /** Where its sources put their revisions. */
  readonly sink: RevisionSink;
  /** Revisions that reached the database. */
  readonly revisions: Revision[];
  /** Runs a source of the repository until the test ends it or the bench is disposed. */
  start(repository: TestRepository, change?: Partial<GitSourceOptions>): RunningSource;
  /** Stops what runs and begins with another fabric, an empty table and no fault. */
  reset(): Promise<void>;
  /** Of the fabric that is mirrored now. */
  fabricId(): string;
  /** Name → `path:line` of what Git declares, from the table. */
  desired(): Promise<Record<string, string>>;
}

export interface RunningSource {
  readonly source: GitSource;
  stop(): Promise<void>;
}

/** On the given database, which is dropped in the end, or one of its own. */
export async function openSourceBench(database?: TestDatabase): Promise<SourceBench> {
  // One after the other: what cannot be opened must not leave the others open.
  const fixture = await openStore(database);
  const server = await startGitServer();
  const cache = await mkdtemp(join(tmpdir(), "fabric-sync-git-cache-"));
  const pool = new RepositoryPool({
    cacheDirectory: cache,
    path: process.env["PATH"] ?? "",
    httpsProxy: "",
    noProxy: "",
    logger: quiet,
  });
  const parser = new ManifestParser();
  const stop = new AbortController();
  const revisions: Revision[] = [];
  const served = new Map<string, Scope>();
  const running = new Set<{ stop(): Promise<void> }>();
  let fence = fixture.fence;
  let fabrics = 1;
  const pump = new Pump({
    labels: { namespace: "netops", fabric: "lab" },
    store: fixture.store,
    fence: () => fence,
    policy: (): ReducePolicy => POLICY,
    telemetry: { batchApplied: () => undefined, writeRetried: () => undefined },
    logger: quiet,
    signal: stop.signal,
  });
  const sink: RevisionSink = {
    async commit(revision) {
      const result = await pump.revisions.commit(revision);
      revisions.push(revision);
      return result;
    },
  };
  return {
    server,
    fixture,
    pool,
    parser,
    cache,
    served,
    sink,
    revisions,
    start(repository, change = {}) {
      const own = new AbortController();
      const source = new GitSource({
        fabricId: fence.fabricId,
        labels: { namespace: "netops", fabric: "lab" },
        url: repository.httpsUrl,
        ref: { branch: "main" },
        rules: RULES,
        intervalMs: 3_600_000,
        timeoutMs: 20_000,
        maxTransferBytes: 1 << 28,
        credentialsId: "",
        credentials: () => Promise.resolve({ "ca.crt": server.https.ca }),
        pool,
        parser,
        scopes: { scopeOf: (group, kind) => served.get(`${group}/${kind}`) ?? "unknown" },
        store: fixture.store,
        dropCursor: (scope) => fixture.store.dropCursor(fence, "git", scope),
        runs: fixture.store,
        sink,
        telemetry: { gitOperation: () => undefined },
        heartbeats: { register: () => ({ beat: () => undefined, end: () => undefined }) },
        log: quiet,
        onChange: () => undefined,
        ...change,
      });
      const run = source.run(own.signal);
      const self = {
        source,
        async stop() {
          own.abort();
          await run;
          running.delete(self);
        },
      };
      running.add(self);
      return self;
    },
    async reset() {
      for (const one of [...running]) await one.stop();
      server.https.fault = null;
      server.https.requests.length = 0;
      revisions.length = 0;
      served.clear();
      await fixture.store.retireFabric(fence.fabricId, "delete");
      fabrics += 1;
      const { id } = await fixture.store.registerFabric({ namespace: "netops", name: "lab", uid: `fabric-${fabrics}` });
      fence = await fixture.store.acquireFence(id, "test");
    },
    fabricId: () => fence.fabricId,
    async desired() {
      const rows = await fixture.sql<{ name: string; place: string }>(
        `select name, desired_file_path || ':' || desired_line as place from fabric_sync.resource
         where fabric_id = $1 and desired_spec is not null order by name`,
        [fence.fabricId],
      );
      return Object.fromEntries(rows.map(({ name, place }) => [name, place]));
    },
    async [Symbol.asyncDispose]() {
      for (const one of [...running]) await one.stop();
      stop.abort();
      await Promise.all([pool.close(), parser.close()]);
      await fixture[Symbol.asyncDispose]();
      await server.stop();
      await rm(cache, { recursive: true, force: true });
    },
  };
}

/** A ConfigMap manifest. */
export function configMap(name: string, data: Readonly<Record<string, string>> = {}): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata: ${JSON.stringify(data)}\n`;
}
