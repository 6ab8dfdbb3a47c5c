/** What the database refused. */
import type { Observation } from "../observation.ts";
import type { ReducePolicy } from "../policy.ts";
import type { Side, WritePath } from "../vocabulary.ts";
import type { ApplyResult, DeadLetterSummary, Fence } from "./observations.ts";

/** An observation that the database refused. `payload` is the observation as it came, redacted like every observation. */
export interface DeadLetter extends DeadLetterSummary {
  readonly id: string;
  readonly side: Side;
  readonly writePath: WritePath;
  readonly attempts: number;
  /** RFC 3339. */
  readonly firstFailedAt: string;
  readonly lastFailedAt: string;
  /** The migration that the database was at when it refused. */
  readonly schemaVersion: number;
  readonly payload: Observation;
}

/** Which dead letters; what is left out does not narrow. */
export interface DeadLetterQuery {
  readonly fabricId: string;
  readonly ids?: readonly string[];
  readonly kind?: string;
  readonly namespace?: string;
  readonly name?: string;
  /** Only those refused by an older schema than the present one: worth another try after a migration. */
  readonly olderSchema?: boolean;
}

/** What the dead-letter commands and the replay after a migration need. A newer observation of the same side clears a dead letter by itself. */
export interface DeadLetterStore {
  /** In key order. */
  listDeadLetters(query: DeadLetterQuery): Promise<DeadLetter[]>;
  /** Offers them to the table again; what is refused again stays, with one attempt more. */
  retryDeadLetters(fence: Fence, policy: ReducePolicy, query: Omit<DeadLetterQuery, "fabricId">): Promise<ApplyResult>;
  /** Gives up on them; how many. */
  dropDeadLetters(query: DeadLetterQuery): Promise<number>;
}
