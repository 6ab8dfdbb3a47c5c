import type { Backoff } from "../../core/retry.ts";

/**
 * What a reflector does next: pure, no clock, no I/O.
 *
 * ```
 *              no position                          position known
 *   start ───────────────► listing ◄───────────────────────────────── start
 *                          │     ▲  410, rewound, relist                │
 *       list and sweep done│     │◄───────────────┬────────────┐        ▼
 *                          │     │                │            ├── resuming ◄─┐
 *                          ▼     │                │            │      │       │ clean end,
 *                       watching ┴────────────────┘            │      │opened │ first silence
 *                          ▲  └────────────────────────────────│──────│───────┘
 *                          └───────────────────────────────────│──────┘
 *        any failure of listing, resuming, watching            │
 *              └──────────► waiting ──── due, position known ──┘ (or listing, when there is none)
 *   relist, rewind from everywhere: listing, or resuming from the older position
 *   stop from everywhere ──► stopped
 * ```
 *
 * A list is a WatchList stream (KEP-3157) until the server shows that it knows none; then pages, for good. Two of the ways out of a
 * failed WatchList are taken at once, without waiting: the server said that it cannot, and the end of the initial events never came.
 */
export type Phase = "listing" | "resuming" | "watching" | "waiting" | "stopped";

/** Why something failed; each has one reaction, in {@link next} and {@link waitFor}. */
export type FaultKind =
  /** 410, as status or ERROR event: the position is older than what the server keeps. */
  | "expired"
  /** A resourceVersion before the position: the server's storage was set back (etcd restored). */
  | "rewound"
  /** 400 or 422 to a WatchList, or its bookmarks lack the end of the initial events. */
  | "unsupported"
  | "unauthorized"
  | "forbidden"
  | "notFound"
  /** 409 and other 4xx: the request was refused for reasons of the moment. */
  | "refused"
  /** 429 */
  | "throttled"
  /** 5xx */
  | "server"
  /** DNS, refused, reset, cut in the middle of a line. */
  | "network"
  | "tls"
  /** No byte for too long. */
  | "silent"
  /** A line that is not JSON or not an event. */
  | "garbage"
  /** Postgres could not be asked what the table holds. */
  | "store";

export interface Fault {
  readonly kind: FaultKind;
  /** CamelCase, fit for a condition's reason. */
  readonly code: string;
  readonly message: string;
  /** The server's own wish, null when it has none. */
  readonly retryAfterMs: number | null;
}

export interface ReflectorState {
  readonly phase: Phase;
  /** How a list is made on this server. */
  readonly method: "watchlist" | "paged";
  /** The resourceVersion to resume from; '' = a list is needed. */
  readonly position: string;
  /** Failures since the stream was last healthy. */
  readonly attempt: number;
  /** The last failure, until the stream is healthy again. */
  readonly fault: Fault | null;
  /** True from the first time it watched until the next failure: a clean resume is no news. */
  readonly settled: boolean;
}

export type ReflectorEvent =
  /** A complete list is in the lane, and what it lacks was swept. */
  | { readonly type: "complete"; readonly position: string }
  /** The server accepted to resume from the position. */
  | { readonly type: "opened" }
  /** An event or bookmark was taken in. */
  | { readonly type: "progress"; readonly position: string }
  /** The server closed the stream in order. `healthy`: it lasted or brought something. */
  | { readonly type: "ended"; readonly healthy: boolean }
  | { readonly type: "failed"; readonly fault: Fault }
  /** The wait is over. */
  | { readonly type: "due" }
  /** Somebody wants a list now. */
  | { readonly type: "relist" }
  /** The table turned out to be behind: go on from where it stands ('' = a list). */
  | { readonly type: "rewind"; readonly position: string }
  | { readonly type: "stop" };

/** `position` '' or '0' (both mean: nothing to resume from) begins with a list. */
export function initialState(position: string): ReflectorState {
  const known = position === "0" ? "" : position;
  return begin({ phase: "stopped", method: "watchlist", position: known, attempt: 0, fault: null, settled: false });
}

/** The state after `event`. What makes no sense in a phase changes nothing. */
export function next(state: ReflectorState, event: ReflectorEvent): ReflectorState {
  if (state.phase === "stopped") return state;
  switch (event.type) {
    case "stop":
      return { ...state, phase: "stopped" };
    case "relist":
      return { ...state, phase: "listing", position: "" };
    case "rewind":
      // A list that is under way brings everything anyhow.
      return state.phase === "listing" ? state : begin({ ...state, position: event.position });
    case "complete":
      return state.phase === "listing" ? healthy({ ...state, position: event.position }) : state;
    case "opened":
      return state.phase === "resuming" ? opened(state) : state;
    case "progress":
      return state.phase === "watching" ? healthy({ ...state, position: event.position }) : state;
    case "due":
      return state.phase === "waiting" ? begin(state) : state;
    case "ended":
      return ended(state, event.healthy);
    case "failed":
      return state.phase === "waiting" ? state : failed(state, event.fault);
  }
}

function begin(state: ReflectorState): ReflectorState {
  return { ...state, phase: state.position === "" ? "listing" : "resuming" };
}

/** Not healthy yet: a server that accepts and breaks off at once must not reset the backoff. But what it accepts it no longer forbids. */
function opened(state: ReflectorState): ReflectorState {
  const allowed = state.fault?.kind === "forbidden" ? { fault: null, settled: true } : {};
  return { ...state, ...allowed, phase: "watching" };
}

function healthy(state: ReflectorState): ReflectorState {
  return { ...state, phase: "watching", attempt: 0, fault: null, settled: true };
}

function ended(state: ReflectorState, wasHealthy: boolean): ReflectorState {
  if (state.phase === "waiting") return state;
  if (state.phase === "listing") {
    return state.method === "watchlist" ? { ...state, method: "paged" } : failed(state, CUT_SHORT);
  }
  return wasHealthy ? begin(state) : failed(state, CUT_SHORT);
}

const CUT_SHORT: Fault = {
  kind: "network",
  code: "StreamEndedEarly",
  message: "the API server ends the stream as soon as it begins",
  retryAfterMs: null,
};

function failed(state: ReflectorState, fault: Fault): ReflectorState {
  const after = { ...state, fault, attempt: state.attempt + 1, settled: false };
  const first = state.attempt === 0;
  switch (fault.kind) {
    case "expired":
    case "rewound":
      // At once: the server answers, and the table is stale until the list is done. A list that expires again waits its turn.
      return { ...after, position: "", phase: first || state.phase !== "listing" ? "listing" : "waiting" };
    case "notFound":
      // Another storage stands behind the kind when it comes back: its objects are not continued, they are listed.
      return { ...after, position: "", phase: "waiting" };
    case "unsupported":
      if (state.phase === "listing" && state.method === "watchlist") return { ...state, method: "paged" };
      return { ...after, phase: "waiting" };
    case "silent":
      if (state.phase === "listing" && state.method === "watchlist") return { ...state, method: "paged" };
      return first ? begin(after) : { ...after, phase: "waiting" };
    default:
      return { ...after, phase: "waiting" };
  }
}

/** How long to wait in phase `waiting`: a backoff bounded so, or at least what the server asked for. */
export interface Wait {
  readonly baseMs: number;
  readonly capMs: number;
  readonly atLeastMs: number;
}

/** Somebody must act; looked at twice a minute, so that a given permission is used soon. */
const ACTED_UPON = { baseMs: 15_000, capMs: 30_000 };

/** `transient`: the backoff of what passes by itself. */
export function waitFor(state: ReflectorState, transient: Backoff): Wait {
  const fault = state.fault;
  const rule = fault?.kind === "forbidden" ? ACTED_UPON : transient;
  return { ...rule, atLeastMs: fault?.retryAfterMs ?? (rule === ACTED_UPON ? 5_000 : 0) };
}

/** Whether it waits for a server that could not be reached or could not answer, and asked for no patience: word of its return ends the wait. */
export function waitsForServer({ phase, fault }: ReflectorState): boolean {
  return phase === "waiting" && fault !== null && fault.retryAfterMs === null && AWAY.has(fault.kind);
}

const AWAY: ReadonlySet<FaultKind> = new Set(["network", "server", "silent", "tls"]);

/** "Not just now" is how an API server answers for a kind whose CRD came a moment ago; trouble is what it still says after so many tries. */
const PATIENT_ATTEMPTS = 3;

/** The state in the words of `StreamStatus`. */
export function describeState(state: ReflectorState): { state: StreamState; reason: string; message: string } {
  const { phase, fault } = state;
  if (phase === "stopped") return { state: "retrying", reason: "Stopped", message: "the stream was stopped" };
  if (fault?.kind === "throttled" && state.attempt <= PATIENT_ATTEMPTS) {
    return { state: "starting", reason: fault.code, message: fault.message };
  }
  if (fault !== null) {
    const word = fault.kind === "forbidden" ? "forbidden" : fault.kind === "notFound" ? "gone" : "retrying";
    return { state: word, reason: fault.code, message: fault.message };
  }
  if (phase === "listing") return { state: "listing", reason: "Listing", message: "reading every object" };
  if (phase === "watching" || state.settled) return { state: "watching", reason: "Watching", message: "" };
  return { state: "starting", reason: "Resuming", message: "resuming where the table stands" };
}
type StreamState = "starting" | "listing" | "watching" | "retrying" | "forbidden" | "gone";
