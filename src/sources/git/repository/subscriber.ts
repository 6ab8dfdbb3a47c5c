import type { GitCredentials } from "./credentials.ts";
import type { GitRef } from "./refs.ts";

/** What one Fabric wants of the repository. */
export interface Subscriber {
  readonly ref: GitRef;
  readonly timeoutMs: number;
  readonly maxTransferBytes: number;
  /** Asked for each exchange: a Secret may have been rotated. */
  credentials(): Promise<GitCredentials>;
  /** The reference points elsewhere now, and its objects are here. */
  onMoved(): void;
  /** One exchange was made, for all subscribers; told to the one that asked. */
  onExchange(operation: "ls-remote" | "fetch", result: "ok" | "error", durationMs: number): void;
}

/** The disk that all repositories share. */
export interface CacheRoom {
  /** Bytes that may come, after what nobody uses was removed where less than `wanted` is free; 0 or less for none. */
  make(wanted: number): Promise<number>;
  /** The repository's size has changed. */
  measure(directory: string): Promise<void>;
}
