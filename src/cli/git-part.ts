import { parseDuration } from "../core/duration.ts";
import { messageOf } from "../core/errors.ts";
import { pause } from "../core/pause.ts";
import type { FabricStore, Fence, ObservationStore } from "../core/ports.ts";
import type { Heartbeats, Telemetry } from "../core/telemetry.ts";
import type { GitPart, GitRequest } from "../controller/parts.ts";
import type { Discovery } from "../sources/cluster/discovery.ts";
import { GitSource } from "../sources/git/git-source.ts";
import type { ManifestParser } from "../sources/git/reading/parser.ts";
import type { RepositoryPool } from "../sources/git/repository/repository-pool.ts";
import type { Scope, ScopeLookup } from "../sources/git/scopes.ts";
import { Verifier } from "../sources/git/signatures/verification.ts";

export interface GitBase {
  readonly store: Pick<ObservationStore, "readGitFiles" | "readCursors" | "dropCursor"> &
    Pick<FabricStore, "beginRun" | "finishRun">;
  readonly telemetry: Pick<Telemetry, "gitOperation">;
  readonly heartbeats: Heartbeats;
  readonly repositories: RepositoryPool;
  readonly parser: ManifestParser;
}

/** What the two sides of one Fabric know of each other. */
export interface Neighbours {
  readonly fence: () => Fence;
  /** What the mirrored cluster serves; null before it said so. */
  readonly discovery: () => Discovery | null;
}

export interface ScopedGitPart extends GitPart {
  /** The cluster serves other kinds than before. */
  scopesChanged(): void;
  /** Postgres was away and is back: maybe behind what it had confirmed. */
  storeInterrupted(): void;
}

/**
 * How long the first take waits for the cluster to say which kinds have a namespace (ms). Without it documents of custom kinds
 * are pending until it does; so a cluster that is away does not hold Git up.
 */
const DISCOVERY_WAIT_MS = 3_000;
const DISCOVERY_POLL_MS = 20;

/** The desired side of one Fabric, as the controller runs it. */
export function gitPart(request: GitRequest, base: GitBase, { fence, discovery }: Neighbours): ScopedGitPart {
  const { spec, labels, log, fabric, pump } = request;
  const { store, telemetry, heartbeats, repositories, parser } = base;
  const stop = new AbortController();
  // Of the exchange, not of how a tree is understood.
  const { maxTransferBytes, ...limits } = spec.limits;
  const source = new GitSource({
    fabricId: fabric.id,
    labels,
    url: spec.url,
    ref: spec.ref,
    rules: {
      path: spec.path,
      include: spec.include,
      exclude: spec.exclude ?? [],
      limits,
      allowEmptying: spec.allowEmptying,
      defaultNamespace: "default",
    },
    intervalMs: parseDuration(spec.interval),
    timeoutMs: parseDuration(spec.timeout),
    maxTransferBytes,
    credentialsId: spec.secretRef === undefined ? "" : `${labels.namespace}/${spec.secretRef.name}`,
    credentials: request.credentials,
    verifier:
      spec.verify &&
      new Verifier({
        mode: spec.verify.mode,
        secret: `${labels.namespace}/${spec.verify.secretRef.name}`,
        keys: request.verificationKeys,
      }),
    pool: repositories,
    parser,
    scopes: scopesOf(discovery),
    store,
    dropCursor: (scope) => store.dropCursor(fence(), "git", scope),
    runs: store,
    sink: pump.revisions,
    telemetry,
    heartbeats,
    log,
    onChange: request.onChange,
  });
  let running: Promise<void> | null = null;
  const run = async (): Promise<void> => {
    for (let waited = 0; discovery() === null && waited < DISCOVERY_WAIT_MS; waited += DISCOVERY_POLL_MS) {
      await pause(DISCOVERY_POLL_MS, stop.signal);
    }
    await source.run(stop.signal);
  };
  return {
    start: () => {
      running ??= run().catch((error: unknown) =>
        log.error({ error: messageOf(error) }, "the Git side ended by an error"),
      );
    },
    stop: async () => {
      stop.abort();
      await running;
    },
    status: () => source.status(),
    syncOnce: () => source.sync(stop.signal),
    hint: () => source.hint(),
    scopesChanged: () => source.scopesChanged(),
    storeInterrupted: () => source.storeInterrupted(),
  };
}

/** Looks kinds up in the newest answer; the index is made once for each. */
function scopesOf(discovery: () => Discovery | null): ScopeLookup {
  let indexed: Discovery | null = null;
  let scopes = new Map<string, Scope>();
  return {
    scopeOf(group, kind) {
      const current = discovery();
      if (current !== indexed) {
        indexed = current;
        scopes = new Map(
          current?.kinds.map((one) => [`${one.group}/${one.kind}`, one.namespaced ? "namespaced" : "cluster"]),
        );
      }
      return scopes.get(`${group}/${kind}`) ?? "unknown";
    },
  };
}
