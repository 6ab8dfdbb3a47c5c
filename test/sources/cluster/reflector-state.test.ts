import {
  describeState,
  initialState,
  next,
  waitFor,
  waitsForServer,
} from "../../../src/sources/cluster/reflector-state.ts";
import type {
  Fault,
  FaultKind,
  Phase,
  ReflectorEvent,
  ReflectorState,
} from "../../../src/sources/cluster/reflector-state.ts";
import { STREAM_TIMING } from "../../../src/sources/cluster/timing.ts";
import { StreamLoss } from "../../../src/sources/cluster/stream-loss.ts";

const fault = (kind: FaultKind): Fault => ({ kind, code: "Code", message: "why", retryAfterMs: null });

/** One state for each phase; `first` and `again` differ in whether something failed just before. */
const STATES: Record<Phase, ReflectorState> = {
  listing: { phase: "listing", method: "watchlist", position: "", attempt: 0, fault: null, settled: false },
  resuming: { phase: "resuming", method: "watchlist", position: "7", attempt: 0, fault: null, settled: false },
  watching: { phase: "watching", method: "watchlist", position: "7", attempt: 0, fault: null, settled: true },
  waiting: { phase: "waiting", method: "watchlist", position: "7", attempt: 1, fault: fault("server"), settled: false },
  stopped: { phase: "stopped", method: "watchlist", position: "7", attempt: 0, fault: null, settled: false },
};

type Row = Record<Phase, string>;
/** `phase method position attempt` after the event; the compiler wants every phase and every event. */
const EVENTS: Record<string, { event: ReflectorEvent; after: Row }> = {
  complete: {
    event: { type: "complete", position: "9" },
    after: {
      listing: "watching watchlist 9 0",
      resuming: "resuming watchlist 7 0",
      watching: "watching watchlist 7 0",
      waiting: "waiting watchlist 7 1",
      stopped: "stopped watchlist 7 0",
    },
  },
  opened: {
    event: { type: "opened" },
    after: {
      listing: "listing watchlist - 0",
      resuming: "watching watchlist 7 0",
      watching: "watching watchlist 7 0",
      waiting: "waiting watchlist 7 1",
      stopped: "stopped watchlist 7 0",
    },
  },
  progress: {
    event: { type: "progress", position: "8" },
    after: {
      listing: "listing watchlist - 0",
      resuming: "resuming watchlist 7 0",
      watching: "watching watchlist 8 0",
      waiting: "waiting watchlist 7 1",
      stopped: "stopped watchlist 7 0",
    },
  },
  "ended well": {
    event: { type: "ended", healthy: true },
    after: {
      listing: "listing paged - 0",
      resuming: "resuming watchlist 7 0",
      watching: "resuming watchlist 7 0",
      waiting: "waiting watchlist 7 1",
      stopped: "stopped watchlist 7 0",
    },
  },
  "ended at once": {
    event: { type: "ended", healthy: false },
    after: {
      listing: "listing paged - 0",
      resuming: "waiting watchlist 7 1",
      watching: "waiting watchlist 7 1",
      waiting: "waiting watchlist 7 1",
      stopped: "stopped watchlist 7 0",
    },
  },
  due: {
    event: { type: "due" },
    after: {
      listing: "listing watchlist - 0",
      resuming: "resuming watchlist 7 0",
      watching: "watching watchlist 7 0",
      waiting: "resuming watchlist 7 1",
      stopped: "stopped watchlist 7 0",
    },
  },
  relist: {
    event: { type: "relist" },
    after: {
      listing: "listing watchlist - 0",
      resuming: "listing watchlist - 0",
      watching: "listing watchlist - 0",
      waiting: "listing watchlist - 1",
      stopped: "stopped watchlist 7 0",
    },
  },
  rewind: {
    event: { type: "rewind", position: "3" },
    after: {
      listing: "listing watchlist - 0",
      resuming: "resuming watchlist 3 0",
      watching: "resuming watchlist 3 0",
      waiting: "resuming watchlist 3 1",
      stopped: "stopped watchlist 7 0",
    },
  },
  stop: {
    event: { type: "stop" },
    after: {
      listing: "stopped watchlist - 0",
      resuming: "stopped watchlist 7 0",
      watching: "stopped watchlist 7 0",
      waiting: "stopped watchlist 7 1",
      stopped: "stopped watchlist 7 0",
    },
  },
} satisfies Record<string, { event: ReflectorEvent; after: Row }>;

/** What a fault does in each phase that can meet it. */
const FAULTS: Record<FaultKind, Pick<Row, "listing" | "resuming" | "watching">> = {
  expired: { listing: "listing watchlist - 1", resuming: "listing watchlist - 1", watching: "listing watchlist - 1" },
  rewound: { listing: "listing watchlist - 1", resuming: "listing watchlist - 1", watching: "listing watchlist - 1" },
  unsupported: { listing: "listing paged - 0", resuming: "waiting watchlist 7 1", watching: "waiting watchlist 7 1" },
  silent: { listing: "listing paged - 0", resuming: "resuming watchlist 7 1", watching: "resuming watchlist 7 1" },
  notFound: { listing: "waiting watchlist - 1", resuming: "waiting watchlist - 1", watching: "waiting watchlist - 1" },
  ...same(["unauthorized", "forbidden", "refused", "throttled", "server", "network", "tls", "garbage", "store"], {
    listing: "waiting watchlist - 1",
    resuming: "waiting watchlist 7 1",
    watching: "waiting watchlist 7 1",
  }),
};

describe("the reflector's state machine", () => {
  const phases = Object.keys(STATES) as Phase[];

  for (const [name, { event, after }] of Object.entries(EVENTS)) {
    test.each(phases)(`${name}, when %s`, (phase) => {
      expect(brief(next(STATES[phase], event))).toBe(after[phase]);
    });
  }

  for (const [kind, after] of Object.entries(FAULTS) as [FaultKind, (typeof FAULTS)[FaultKind]][]) {
    test.each(["listing", "resuming", "watching"] as const)(`failed with ${kind}, when %s`, (phase) => {
      expect(brief(next(STATES[phase], { type: "failed", fault: fault(kind) }))).toBe(after[phase]);
    });
    test(`failed with ${kind} changes nothing when waiting or stopped`, () => {
      for (const phase of ["waiting", "stopped"] as const)
        expect(next(STATES[phase], { type: "failed", fault: fault(kind) })).toBe(STATES[phase]);
    });
  }

  test("begins with a list where there is nothing to resume from", () => {
    expect([initialState(""), initialState("0"), initialState("41")].map(brief)).toEqual([
      "listing watchlist - 0",
      "listing watchlist - 0",
      "resuming watchlist 41 0",
    ]);
  });

  test("a list that expires twice in a row waits", () => {
    const once = next(STATES.listing, { type: "failed", fault: fault("expired") });
    expect(brief(next(once, { type: "failed", fault: fault("expired") }))).toBe("waiting watchlist - 2");
  });

  test("a resume that falls silent twice in a row waits", () => {
    const once = next(STATES.watching, { type: "failed", fault: fault("silent") });
    expect(brief(next(once, { type: "failed", fault: fault("silent") }))).toBe("waiting watchlist 7 2");
  });

  test("pages stay, once the server has shown that it knows no WatchList", () => {
    const paged = next(STATES.listing, { type: "failed", fault: fault("unsupported") });
    const watching = next(paged, { type: "complete", position: "9" });
    expect(brief(next(watching, { type: "failed", fault: fault("expired") }))).toBe("listing paged - 1");
    expect(brief(next(paged, { type: "failed", fault: fault("unsupported") }))).toBe("waiting paged - 1");
    expect(brief(next(paged, { type: "ended", healthy: true }))).toBe("waiting paged - 1");
    expect(brief(next(paged, { type: "failed", fault: fault("silent") }))).toBe("listing paged - 1");
  });

  test("an accepted resume alone does not end the backoff, progress does", () => {
    const resumed = next(next(STATES.waiting, { type: "due" }), { type: "opened" });
    expect(brief(resumed)).toBe("watching watchlist 7 1");
    expect(resumed.fault).not.toBeNull();
    const well = next(resumed, { type: "progress", position: "8" });
    expect([brief(well), well.fault]).toEqual(["watching watchlist 8 0", null]);
  });

  test("what the server accepts it no longer forbids, though the backoff waits for progress", () => {
    const refused = next(STATES.watching, { type: "failed", fault: fault("forbidden") });
    const allowed = next(next(refused, { type: "due" }), { type: "opened" });
    expect([brief(allowed), describeState(allowed).state]).toEqual(["watching watchlist 7 1", "watching"]);
    expect(describeState(next(allowed, { type: "ended", healthy: true })).state).toBe("watching");
  });

  test("the server's Retry-After is the least wait", () => {
    const state = next(STATES.watching, { type: "failed", fault: { ...fault("throttled"), retryAfterMs: 7_000 } });
    expect(waitFor(state, STREAM_TIMING.retry).atLeastMs).toBe(7_000);
  });

  test("a missing permission is looked for more slowly than a hiccup", () => {
    const waits = (["forbidden", "network"] as const).map((kind) =>
      waitFor(next(STATES.watching, { type: "failed", fault: fault(kind) }), STREAM_TIMING.retry),
    );
    expect(waits[0]?.baseMs).toBeGreaterThan(waits[1]?.baseMs ?? Infinity);
  });

  test("a position that has expired is listed at once, whatever failed before: the server answers", () => {
    const away = next(STATES.resuming, { type: "failed", fault: fault("network") });
    const back = next(away, { type: "due" });
    expect(brief(next(back, { type: "failed", fault: fault("expired") }))).toBe("listing watchlist - 2");
  });

  test("word of the server's return ends the wait of who could not reach it, and of nobody else", () => {
    const hurried = (Object.keys(FAULTS) as FaultKind[]).filter((kind) =>
      waitsForServer({ ...STATES.waiting, fault: fault(kind) }),
    );
    expect(hurried.sort()).toEqual(["network", "server", "silent", "tls"]);
    const asked = { ...fault("server"), retryAfterMs: 5_000 };
    expect(waitsForServer({ ...STATES.waiting, fault: asked })).toBe(false);
    expect(waitsForServer({ ...STATES.watching, fault: fault("server") })).toBe(false);
  });

  test("says in a status what is", () => {
    const words = phases.map((phase) => describeState(STATES[phase]).state);
    expect(words).toEqual(["listing", "starting", "watching", "retrying", "retrying"]);
    const failed = (kind: FaultKind) =>
      describeState(next(STATES.watching, { type: "failed", fault: fault(kind) })).state;
    expect([failed("forbidden"), failed("notFound"), failed("tls")]).toEqual(["forbidden", "gone", "retrying"]);
    expect(describeState(next(STATES.watching, { type: "ended", healthy: true })).state).toBe("watching");
  });
});

function brief({ phase, method, position, attempt }: ReflectorState): string {
  return `${phase} ${method} ${position === "" ? "-" : position} ${attempt}`;
}

function same<K extends FaultKind, V>(kinds: readonly K[], value: V): Record<K, V> {
  return Object.fromEntries(kinds.map((kind) => [kind, value])) as Record<K, V>;
}

test("a server that asks to wait a moment is no trouble, until it goes on asking", () => {
  let state = initialState("");
  const told = [1, 2, 3, 4].map(() => {
    state = next(state, { type: "failed", fault: fault("throttled") });
    const { state: word } = describeState(state);
    state = next(state, { type: "due" });
    return word;
  });
  expect(told).toEqual(["starting", "starting", "starting", "retrying"]);
});

test("commits that the database lost are missing until it stands where it stood, or a list was taken in", () => {
  const saved = (position: string) => ({ source: "cluster" as const, scope: "s", position, completeAt: 1 });
  const loss = new StreamLoss();
  const repaired = (position: string | null) => loss.facts(position === null ? null : saved(position)).loss?.repaired;
  loss.listed("50");
  expect(loss.facts(saved("60"))).toEqual({});
  loss.found("100", 7);
  expect(loss.facts(saved("60"))).toEqual({ loss: { foundAt: 7, repaired: false } });
  expect([repaired(null), repaired("99"), repaired("100"), repaired("1000")]).toEqual([false, false, true, true]);
  // Once more, before it was there again.
  loss.found("80", 8);
  expect([repaired("80"), repaired("100")]).toEqual([false, true]);
  // The cluster's storage was set back as well.
  loss.listed("30");
  expect([repaired("29"), repaired("30")]).toEqual([false, true]);
});
