import type { LandingCounts } from "../core/landed.ts";
import type { FabricCounts } from "../core/ports.ts";
import type { GitStatus, SourceError, StreamStatus } from "../core/streams.ts";
import type { StoreLoss } from "./store-loss.ts";

/** Everything that a Fabric's status is made of; `status.ts` is a pure function of it. */
export interface FabricFacts {
  /** Now (ms since the epoch). */
  readonly now: number;
  /** The generation that was looked at. */
  readonly generation: number;
  /** The last generation that the parts were told, or that they were stopped for; null before the first. */
  readonly actedGeneration: number | null;
  /** Whether every row was judged by the policy in force. */
  readonly judged: boolean;
  /** Stands for the policy by which every row was judged last; '' before the first time. */
  readonly judgedBy: string;
  readonly suspended: boolean;
  /** The spec cannot be read. Nothing runs. */
  readonly invalidSpec: SourceError | null;
  readonly store: StoreFacts;
  /** Commits that Postgres had confirmed are not there; null where nothing is to be told of that. */
  readonly storeLoss: StoreLoss | null;
  /** null while the cluster side does not run. */
  readonly cluster: ClusterFacts | null;
  /** null while the Git side does not run, or where the spec names no repository. */
  readonly git: GitStatus | null;
  readonly hasGit: boolean;
  /** null until Postgres was asked the first time. */
  readonly counts: FabricCounts | null;
  /** How much of the revision has landed; null until it was counted, and where that takes too long. */
  readonly landings: LandingCounts | null;
  /** The value of the reconcile-at annotation whose sync is done; '' before the first. */
  readonly handledReconcileAt: string;
  /** '' where no webhook is set up. */
  readonly webhookPath: string;
}

/** What the last exchange with Postgres said. */
export interface StoreFacts {
  /** False before the first answer. */
  readonly asked: boolean;
  readonly error: SourceError | null;
}

export interface ClusterFacts {
  readonly streams: readonly StreamStatus[];
  /** Discovery, credentials or the connection as a whole failed. */
  readonly error: SourceError | null;
  /** Whether discovery answered since the source was started: before, no stream means nothing. */
  readonly discovered: boolean;
  /** In whose name the cluster is read, for the sentence that says what to grant: '' is the operator itself. */
  readonly impersonated: string;
  /** Paths that `spec.cluster.volatilePaths` takes back though they were never volatile; absent where there are none. */
  readonly idleTakeBacks?: readonly string[];
}
