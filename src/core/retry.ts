/** How long to wait between attempts; see {@link fullJitterDelay}. Milliseconds. */
export interface Backoff {
  readonly baseMs: number;
  readonly capMs: number;
}

/**
 * For a write transaction. 25 ms is a few times the length of one batch's transaction, so a deadlock's other side has ended; 10 s
 * keeps the wait after a failover of the database below what a person notices.
 */
export const WRITE_BACKOFF: Backoff = { baseMs: 25, capMs: 10_000 };

/**
 * For a connection to a server that is away (API server, Git host, database at start). 30 s is the longest that a recovered server
 * stays unused; client-go's reflectors use the same bound.
 */
export const CONNECT_BACKOFF: Backoff = { baseMs: 250, capMs: 30_000 };

/**
 * Milliseconds to wait before attempt `attempt + 1`, where `attempt` counts from 1: uniformly between 0 and the exponential bound
 * (full jitter), so that writers who failed together do not come back together.
 * @param random a number in [0, 1), as `Math.random` gives it.
 */
export function fullJitterDelay(attempt: number, backoff: Backoff, random: () => number): number {
  const exponent = Math.max(0, Math.floor(attempt) - 1);
  const bound = Math.min(backoff.capMs, backoff.baseMs * 2 ** Math.min(exponent, 52));
  return Math.floor(random() * bound);
}
