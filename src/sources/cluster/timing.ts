import type { Backoff } from "../../core/retry.ts";

/** Times and sizes of the streams; tests shorten them. */
export interface StreamTiming {
  /**
   * Seconds after which the server is asked to end a watch, plus a random share of as much again: watches that began together do not
   * end together, and a load balancer's view of who is busy is renewed. As client-go.
   */
  readonly watchSeconds: number;
  /** ms until the headers of a stream must be there. A WatchList answers when the server's cache is as fresh as etcd. */
  readonly headersMs: number;
  /**
   * ms without a byte after which a stream counts as dead. API servers send a bookmark a minute; two may be late. Where a server sends
   * none, this costs one resume without a list.
   */
  readonly silenceMs: number;
  /** A stream that ends sooner (ms) with nothing delivered is a failure, not a clean end: no spinning. */
  readonly minStreamMs: number;
  /** Between two tries of a stream whose trouble passes by itself. */
  readonly retry: Backoff;
  /** Objects in one page. The figure of client-go and kubectl. */
  readonly pageSize: number;
  /** Bytes of one page; when it is larger, smaller pages are asked for. */
  readonly pageBytes: number;
  /** ms between two looks at discovery while the watch on CRDs tells of changes: for aggregated APIs, which come without a CRD. */
  readonly discoveryMs: number;
  /** ms between two looks while CRDs may not be watched. */
  readonly discoveryAloneMs: number;
  /**
   * ms after a change of a CRD at which discovery is read. The server's discovery follows a CRD's Established condition within about a
   * second, so the later ones catch what the first was too early for.
   */
  readonly discoveryAfterChangeMs: readonly number[];
}

export const STREAM_TIMING: StreamTiming = {
  watchSeconds: 300,
  headersMs: 60_000,
  silenceMs: 150_000,
  minStreamMs: 1_000,
  // A single hiccup is over after 200 ms. 30 s: what a server that was away costs at most, where nothing tells of its return.
  retry: { baseMs: 400, capMs: 30_000 },
  pageSize: 500,
  pageBytes: 32 * 1024 * 1024,
  discoveryMs: 300_000,
  discoveryAloneMs: 30_000,
  discoveryAfterChangeMs: [50, 250, 750, 1_500, 4_000, 10_000],
};
