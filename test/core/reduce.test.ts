import type { Observation } from "../../src/core/observation.ts";
import type { ReducePolicy } from "../../src/core/policy.ts";
import { reclassify, reduce } from "../../src/core/reduce.ts";
import type { Reduction } from "../../src/core/reduce.ts";
import type { ResourceEvent, ResourceRow } from "../../src/core/row.ts";
import type { EventType, ResourceState } from "../../src/core/vocabulary.ts";
import { RESOURCE_STATES } from "../../src/core/vocabulary.ts";
import {
  actual,
  actualDelete,
  AGENT,
  at,
  COMMIT_1,
  COMMIT_2,
  desired,
  desiredDelete,
  POLICY,
  WIDGET,
} from "./observations.ts";

/** Folds observations into one row, one second apart. */
function fold(observations: readonly Observation[], policy: ReducePolicy = POLICY): Reduction {
  let last: Reduction = { outcome: "unchanged", row: null };
  observations.forEach((observation, second) => {
    last = reduce(last.row, observation, policy, at(second));
  });
  return last;
}

function rowOf(reduction: Reduction): ResourceRow {
  if (reduction.row === null) throw new Error("there is no row");
  return reduction.row;
}

function eventOf(reduction: Reduction): ResourceEvent {
  if (reduction.outcome !== "changed") throw new Error(`${reduction.outcome} has no event`);
  return reduction.event;
}

const TERMINATING = { deletionTimestamp: "2026-01-01T00:00:00Z" };

/** How each state is reached. */
const START: Record<ResourceState, { readonly path: readonly Observation[]; readonly policy?: ReducePolicy }> = {
  pending: { path: [desired(), actual()], policy: { ...POLICY, driftMode: "disabled" } },
  committed: { path: [desired()] },
  synced: { path: [desired(), actual()] },
  drifted: { path: [desired(), actual({ size: 2 })] },
  orphaned: { path: [actual()] },
  terminating: { path: [desired(), actual({ size: 1 }, { metadata: TERMINATING })] },
  deleted: { path: [actual(), actualDelete({ rv: "15" })] },
  external: { path: [actual({ size: 1 }, { type: AGENT })] },
};

type Seen =
  | "git declares one field more"
  | "git declares something else"
  | "git repeats itself"
  | "git drops it"
  | "cluster has what git declares"
  | "cluster has something else"
  | "cluster terminates it"
  | "cluster recreates it"
  | "cluster repeats itself"
  | "cluster shows an old version"
  | "cluster drops it"
  | "cluster drops it, long ago";

function observation(seen: Seen, type: typeof WIDGET, row: ResourceRow): Observation {
  const repeatDesired = row.desiredSpec ?? { size: 1 };
  const repeatActual = row.actualSpec ?? { size: 1 };
  const metadata = row.deletionRequestedAt === null ? {} : TERMINATING;
  const all: Record<Seen, Observation> = {
    "git declares one field more": desired({ size: 1, note: "new" }, { type, commit: COMMIT_2 }),
    "git declares something else": desired({ size: 3 }, { type, commit: COMMIT_2 }),
    "git repeats itself": desired(repeatDesired, { type }),
    "git drops it": desiredDelete(type),
    "cluster has what git declares": actual({ size: 1, extra: true }, { type, rv: "20" }),
    "cluster has something else": actual({ size: 4 }, { type, rv: "20" }),
    "cluster terminates it": actual({ size: 1, extra: 2 }, { type, rv: "20", metadata: TERMINATING }),
    "cluster recreates it": actual({ size: 1 }, { type, rv: "20", uid: "uid-b" }),
    "cluster repeats itself": actual(repeatActual, { type, rv: row.actualResourceVersion || "10", metadata }),
    "cluster shows an old version": actual({ size: 9 }, { type, rv: "9" }),
    "cluster drops it": actualDelete({ type, rv: "20" }),
    "cluster drops it, long ago": actualDelete({ type, rv: "9" }),
  };
  return all[seen];
}

type Expected = readonly [Reduction["outcome"], ResourceState, EventType | null];
const still = (state: ResourceState): Expected => ["unchanged", state, null];
const stale = (state: ResourceState): Expected => ["stale", state, null];

/** Every state × every observation; the compiler refuses a table with a hole. */
const TRANSITIONS: Record<ResourceState, Record<Seen, Expected>> = {
  pending: {
    "git declares one field more": ["changed", "pending", "modified"],
    "git declares something else": ["changed", "pending", "modified"],
    "git repeats itself": still("pending"),
    "git drops it": ["changed", "orphaned", "deleted"],
    "cluster has what git declares": ["changed", "pending", "modified"],
    "cluster has something else": ["changed", "pending", "modified"],
    "cluster terminates it": ["changed", "terminating", "modified"],
    "cluster recreates it": ["changed", "pending", "recreated"],
    "cluster repeats itself": still("pending"),
    "cluster shows an old version": stale("pending"),
    "cluster drops it": ["changed", "committed", "deleted"],
    "cluster drops it, long ago": stale("pending"),
  },
  committed: {
    "git declares one field more": ["changed", "committed", "modified"],
    "git declares something else": ["changed", "committed", "modified"],
    "git repeats itself": still("committed"),
    "git drops it": ["changed", "deleted", "deleted"],
    "cluster has what git declares": ["changed", "synced", "added"],
    "cluster has something else": ["changed", "drifted", "added"],
    "cluster terminates it": ["changed", "terminating", "added"],
    "cluster recreates it": ["changed", "synced", "added"],
    "cluster repeats itself": ["changed", "synced", "added"],
    "cluster shows an old version": ["changed", "drifted", "added"],
    "cluster drops it": still("committed"),
    "cluster drops it, long ago": still("committed"),
  },
  synced: {
    "git declares one field more": ["changed", "drifted", "modified"],
    "git declares something else": ["changed", "drifted", "modified"],
    "git repeats itself": still("synced"),
    "git drops it": ["changed", "orphaned", "deleted"],
    "cluster has what git declares": ["changed", "synced", "modified"],
    "cluster has something else": ["changed", "drifted", "modified"],
    "cluster terminates it": ["changed", "terminating", "modified"],
    "cluster recreates it": ["changed", "synced", "recreated"],
    "cluster repeats itself": still("synced"),
    "cluster shows an old version": stale("synced"),
    "cluster drops it": ["changed", "committed", "deleted"],
    "cluster drops it, long ago": stale("synced"),
  },
  drifted: {
    "git declares one field more": ["changed", "drifted", "modified"],
    "git declares something else": ["changed", "drifted", "modified"],
    "git repeats itself": still("drifted"),
    "git drops it": ["changed", "orphaned", "deleted"],
    "cluster has what git declares": ["changed", "synced", "modified"],
    "cluster has something else": ["changed", "drifted", "modified"],
    "cluster terminates it": ["changed", "terminating", "modified"],
    "cluster recreates it": ["changed", "synced", "recreated"],
    "cluster repeats itself": still("drifted"),
    "cluster shows an old version": stale("drifted"),
    "cluster drops it": ["changed", "committed", "deleted"],
    "cluster drops it, long ago": stale("drifted"),
  },
  orphaned: {
    "git declares one field more": ["changed", "drifted", "added"],
    "git declares something else": ["changed", "drifted", "added"],
    "git repeats itself": ["changed", "synced", "added"],
    "git drops it": still("orphaned"),
    "cluster has what git declares": ["changed", "orphaned", "modified"],
    "cluster has something else": ["changed", "orphaned", "modified"],
    "cluster terminates it": ["changed", "terminating", "modified"],
    "cluster recreates it": ["changed", "orphaned", "recreated"],
    "cluster repeats itself": still("orphaned"),
    "cluster shows an old version": stale("orphaned"),
    "cluster drops it": ["changed", "deleted", "deleted"],
    "cluster drops it, long ago": stale("orphaned"),
  },
  terminating: {
    "git declares one field more": ["changed", "terminating", "modified"],
    "git declares something else": ["changed", "terminating", "modified"],
    "git repeats itself": still("terminating"),
    "git drops it": ["changed", "terminating", "deleted"],
    // The server never takes a deletionTimestamp back; if it is not there, then that is what the cluster says.
    "cluster has what git declares": ["changed", "synced", "modified"],
    "cluster has something else": ["changed", "drifted", "modified"],
    "cluster terminates it": ["changed", "terminating", "modified"],
    "cluster recreates it": ["changed", "synced", "recreated"],
    "cluster repeats itself": still("terminating"),
    "cluster shows an old version": stale("terminating"),
    "cluster drops it": ["changed", "committed", "deleted"],
    "cluster drops it, long ago": stale("terminating"),
  },
  deleted: {
    "git declares one field more": ["changed", "committed", "added"],
    "git declares something else": ["changed", "committed", "added"],
    "git repeats itself": ["changed", "committed", "added"],
    "git drops it": still("deleted"),
    "cluster has what git declares": ["changed", "orphaned", "added"],
    "cluster has something else": ["changed", "orphaned", "added"],
    "cluster terminates it": ["changed", "terminating", "added"],
    "cluster recreates it": ["changed", "orphaned", "added"],
    // Of the version that was buried: a replay.
    "cluster repeats itself": stale("deleted"),
    "cluster shows an old version": stale("deleted"),
    "cluster drops it": still("deleted"),
    "cluster drops it, long ago": still("deleted"),
  },
  external: {
    "git declares one field more": ["changed", "external", "added"],
    "git declares something else": ["changed", "external", "added"],
    "git repeats itself": ["changed", "external", "added"],
    "git drops it": still("external"),
    "cluster has what git declares": ["changed", "external", "modified"],
    "cluster has something else": ["changed", "external", "modified"],
    "cluster terminates it": ["changed", "terminating", "modified"],
    "cluster recreates it": ["changed", "external", "recreated"],
    "cluster repeats itself": still("external"),
    "cluster shows an old version": stale("external"),
    "cluster drops it": ["changed", "deleted", "deleted"],
    "cluster drops it, long ago": stale("external"),
  },
};

const CASES = RESOURCE_STATES.flatMap((state) =>
  (Object.keys(TRANSITIONS[state]) as Seen[]).map((seen) => [state, seen, TRANSITIONS[state][seen]] as const),
);

describe("the state machine", () => {
  it.each(CASES)("%s: %s", (state, seen, [outcome, next, eventType]) => {
    const { path, policy = POLICY } = START[state];
    const before = rowOf(fold(path, policy));
    expect(before.resourceState).toBe(state);
    const type = state === "external" ? AGENT : WIDGET;
    const result = reduce(before, observation(seen, type, before), policy, at(10));
    expect([result.outcome, result.row?.resourceState]).toEqual([outcome, next]);
    if (result.outcome === "changed") {
      expect(result.event).toMatchObject({ eventType, stateBefore: state, stateAfter: next });
    } else {
      expect(eventType).toBeNull();
      expect(result.row).toBe(before);
    }
  });

  it.each([desiredDelete(), actualDelete()])("makes nothing of a delete of what was never seen", (seen) => {
    expect(reduce(null, seen, POLICY, at(0))).toEqual({ outcome: "unchanged", row: null });
  });

  it("does not call an object an orphan where there is no Git", () => {
    const row = rowOf(fold([actual()], { ...POLICY, hasGit: false }));
    expect([row.resourceState, row.driftStatus]).toEqual(["external", "untracked"]);
  });

  it("concludes nothing from a side that was not read", () => {
    const gitUnread = rowOf(fold([actual()], { ...POLICY, unread: { git: true } }));
    expect([gitUnread.resourceState, gitUnread.driftStatus]).toEqual(["pending", "unknown"]);
    const clusterUnread = rowOf(fold([desired()], { ...POLICY, unread: { kinds: ["Widget.example.com"] } }));
    expect([clusterUnread.resourceState, clusterUnread.driftStatus]).toEqual(["committed", "unknown"]);
    expect(rowOf(fold([desired()], { ...POLICY, unread: { cluster: true } })).driftStatus).toBe("unknown");
    const unwatched = {
      ...POLICY,
      unread: { unwatched: { "Widget.example.com": "its kind may not be listed and watched" } },
    };
    for (const seen of [[desired(), actual()], [desired()], [actual()]]) {
      const row = rowOf(fold(seen, unwatched));
      expect([row.driftStatus, row.driftDetails]).toEqual([
        "unknown",
        { reason: "its kind may not be listed and watched", code: "KindNotWatched" },
      ]);
    }
  });
});

describe("resourceVersions", () => {
  it("are compared as numbers of any length", () => {
    const before = rowOf(fold([actual({ size: 1 }, { rv: "99999999999999999999" })]));
    expect(reduce(before, actual({ size: 2 }, { rv: "100000000000000000000" }), POLICY, at(1)).outcome).toBe("changed");
    expect(reduce(before, actual({ size: 2 }, { rv: "99999999999999999998" }), POLICY, at(1)).outcome).toBe("stale");
  });

  it("of an earlier incarnation are stale under the new uid, too", () => {
    const before = rowOf(fold([actual(), actual({ size: 2 }, { rv: "20", uid: "uid-b" })]));
    expect(reduce(before, actual({ size: 1 }, { rv: "10", uid: "uid-a" }), POLICY, at(2)).outcome).toBe("stale");
    expect(reduce(before, actualDelete({ rv: "15", uid: "uid-a" }), POLICY, at(2)).outcome).toBe("stale");
  });

  it("let a complete list prove absence without a uid, and an older event not", () => {
    const before = rowOf(fold([actual()]));
    const gone = reduce(before, actualDelete({ rv: "11", uid: "", writePath: "list" }), POLICY, at(1));
    expect([gone.outcome, gone.row?.resourceState, gone.row?.actualUid]).toEqual(["changed", "deleted", "uid-a"]);
    expect(reduce(before, actualDelete({ rv: "9", uid: "" }), POLICY, at(1)).outcome).toBe("stale");
  });

  describe("of a storage that was set back, which a list shows,", () => {
    const before = rowOf(fold([actual({ size: 1 }, { rv: "40" })]));

    it("go back, and history says so", () => {
      const back = fold([actual({ size: 1 }, { rv: "40" }), actual({ size: 2 }, { rv: "30", writePath: "list" })]);
      expect([back.outcome, back.row?.actualSpec, back.row?.actualResourceVersion]).toEqual([
        "changed",
        { size: 2 },
        "30",
      ]);
      expect(back.outcome === "changed" && back.event.reason).toBe(
        "the cluster's storage was set back: resourceVersion 40 became 30",
      );
      // From there on events count as ever.
      const row = rowOf(back);
      expect(reduce(row, actual({ size: 3 }, { rv: "31" }), POLICY, at(1)).outcome).toBe("changed");
      expect(reduce(row, actual({ size: 3 }, { rv: "29" }), POLICY, at(1)).outcome).toBe("stale");
    });

    it("go back without an event where the object is the same, since the next event counts from there", () => {
      const back = reduce(before, actual({ size: 1 }, { rv: "30", writePath: "list" }), POLICY, at(1));
      expect([back.outcome, back.row?.actualResourceVersion]).toEqual(["refreshed", "30"]);
    });

    it("end what it does not hold any more, and bring back what was deleted since", () => {
      const gone = reduce(before, actualDelete({ rv: "35", uid: "uid-a", writePath: "list" }), POLICY, at(1));
      expect([gone.outcome, gone.row?.resourceState]).toEqual(["changed", "deleted"]);
      const tombstone = rowOf(fold([actual(), actualDelete({ rv: "50" })]));
      const again = reduce(tombstone, actual({ size: 1 }, { rv: "10", writePath: "list" }), POLICY, at(1));
      expect([again.outcome, again.outcome === "changed" && again.event.eventType]).toEqual(["changed", "added"]);
    });
  });

  it("that cannot be compared do not let the delete of another object bury this one", () => {
    const before = rowOf(fold([actual({ size: 1 }, { rv: "opaque-1", uid: "uid-b" })]));
    expect(reduce(before, actualDelete({ rv: "opaque-2", uid: "uid-a" }), POLICY, at(1)).outcome).toBe("stale");
    expect(reduce(before, actualDelete({ rv: "opaque-2", uid: "uid-b" }), POLICY, at(1)).outcome).toBe("changed");
  });

  it("are forgotten when the side is retired, so that it can come back unchanged", () => {
    const back = fold([actual(), actualDelete({ rv: "", uid: "" }), actual()]);
    expect([back.outcome, back.row?.resourceState]).toEqual(["changed", "orphaned"]);
  });

  it("that are the same mean a change when our normal form of the object changed", () => {
    const before = { ...rowOf(fold([actual()])), actualHash: "0".repeat(64) };
    expect(reduce(before, actual(), POLICY, at(1)).outcome).toBe("changed");
  });
});

describe("freshness", () => {
  const beat = (rv: string, time: string) =>
    actual({ role: "leaf" }, { type: AGENT, rv, status: { lastHeartbeat: time } });

  it("of volatile fields is refreshed once a minute, without an event", () => {
    const before = rowOf(reduce(null, beat("10", "t0"), POLICY, at(1)));
    expect(reduce(before, beat("11", "t1"), POLICY, at(60)).outcome).toBe("unchanged");
    const touched = reduce(before, beat("12", "t2"), POLICY, at(61));
    expect(touched.outcome).toBe("refreshed");
    expect(touched.row).toMatchObject({
      actualStatus: { lastHeartbeat: "t2" },
      actualResourceVersion: "12",
      updatedAt: at(61).now,
    });
    expect(touched).not.toHaveProperty("event");
  });

  it.each([
    ["generation", actual({ size: 1 }, { rv: "11", metadata: { generation: 2 } })],
    ["a deletion request", actual({ size: 1 }, { rv: "11", metadata: TERMINATING })],
    ["labels", actual({ size: 1 }, { rv: "11", metadata: { labels: { a: "b" } } })],
    ["annotations", actual({ size: 1 }, { rv: "11", metadata: { annotations: { a: "b" } } })],
    ["owners", actual({ size: 1 }, { rv: "11", metadata: { ownerReferences: [{ kind: "Fabric", name: "x" }] } })],
    ["status", actual({ size: 1 }, { rv: "11", status: { phase: "Up" } })],
  ])("is not all that a change of %s is", (_what, seen) => {
    expect(reduce(rowOf(fold([actual()])), seen, POLICY, at(1)).outcome).toBe("changed");
  });

  it("of a place in Git is written at once, without an event", () => {
    const before = rowOf(fold([desired({ size: 2 }), actual()]));
    const shifted = reduce(
      before,
      desired({ size: 2 }, { line: 7, fileHash: "c".repeat(40), commit: COMMIT_2 }),
      POLICY,
      at(2),
    );
    expect(shifted.outcome).toBe("refreshed");
    expect(shifted.row).toMatchObject({
      desiredLine: 7,
      desiredCommit: COMMIT_1,
      driftDetails: { paths: [{ line: 7, commit: COMMIT_1 }] },
    });
  });

  it("does not hide a move to another file", () => {
    const moved = reduce(
      rowOf(fold([desired()])),
      desired({ size: 1 }, { filePath: "b.yaml", commit: COMMIT_2 }),
      POLICY,
      at(1),
    );
    expect(eventOf(moved)).toMatchObject({ eventType: "modified", reason: "moved from a.yaml", commit: COMMIT_2 });
    expect(moved.row).toMatchObject({ desiredFilePath: "b.yaml", managedFilePath: "b.yaml", desiredCommit: COMMIT_2 });
  });
});

describe("an event", () => {
  it("carries the side after the change", () => {
    const result = fold([actual({ size: 2 }, { status: { phase: "Up" }, metadata: { labels: { a: "b" } } })]);
    expect(eventOf(result)).toMatchObject({
      eventType: "added",
      side: "actual",
      resourceVersion: "10",
      trigger: "watch",
      image: { spec: { size: 2 }, labels: { a: "b" }, annotations: {}, status: { phase: "Up" } },
    });
  });

  it("says who in Git and which commit", () => {
    expect(eventOf(fold([desired()]))).toMatchObject({ side: "desired", actor: "ada", commit: COMMIT_1 });
    expect(eventOf(fold([desired(), desiredDelete()]))).toMatchObject({
      eventType: "deleted",
      commit: COMMIT_2,
      image: null,
    });
  });
});

describe("columns of both sides", () => {
  it("are the cluster's while it is there, then Git's, then empty", () => {
    const git = desired({ size: 1 }, { labels: { from: "git" } });
    const cluster = actual({ size: 1 }, { metadata: { labels: { from: "cluster" } } });
    expect(rowOf(fold([git])).labels).toEqual({ from: "git" });
    expect(rowOf(fold([git, cluster])).labels).toEqual({ from: "cluster" });
    expect(rowOf(fold([git, cluster, actualDelete()])).labels).toEqual({ from: "git" });
    expect(rowOf(fold([git, cluster, actualDelete(), desiredDelete()])).labels).toEqual({});
  });

  it("keep Git's apiVersion for the time when the cluster's object is gone", () => {
    const v2 = { apiVersion: "example.com/v2", kind: "Widget" };
    const both = rowOf(fold([desired(), actual({ size: 1 }, { type: v2 })]));
    expect(both.apiVersion).toBe("example.com/v2");
    expect(rowOf(reduce(both, actualDelete(), POLICY, at(9))).apiVersion).toBe("example.com/v1");
  });

  it("remember the commit that the cluster agreed with", () => {
    const agreed = rowOf(fold([desired(), actual()]));
    expect(agreed.lastSyncedCommit).toBe(COMMIT_1);
    const ahead = rowOf(reduce(agreed, desired({ size: 2 }, { commit: COMMIT_2 }), POLICY, at(5)));
    expect([ahead.desiredCommit, ahead.lastSyncedCommit]).toEqual([COMMIT_2, COMMIT_1]);
  });
});

describe("reclassify", () => {
  it("judges the same facts under another policy, with an event", () => {
    const drifted = rowOf(fold([desired(), actual({ size: 2 })]));
    const hidden = reclassify(drifted, { ...POLICY, ignore: [{ paths: ["/spec/size"] }] }, at(9));
    expect(eventOf(hidden)).toMatchObject({ eventType: "reclassified", stateBefore: "drifted", stateAfter: "synced" });
    expect(hidden.row?.driftDetails).toEqual({ ignored: ["/spec/size"] });
  });

  it("changes nothing where the policy says the same", () => {
    const row = rowOf(fold([desired(), actual({ size: 2 })]));
    expect(reclassify(row, POLICY, at(9))).toEqual({ outcome: "unchanged", row });
  });
});

describe("a value that was taken away", () => {
  const managed = (manager: string, time: string) => ({
    metadata: {
      managedFields: [{ manager, operation: "Update", time, fieldsType: "FieldsV1", fieldsV1: { "f:spec": {} } }],
    },
  });

  it("is told with a candidate, who stays the same whoever edits the object later", () => {
    const row = rowOf(
      fold([
        desired({ size: 1, color: "red" }),
        actual({ size: 1, color: "red" }, { rv: "10", ...managed("git-applier", "2026-01-01T00:00:00Z") }),
        actual({ size: 1 }, { rv: "11", ...managed("kubectl-edit", "2026-01-01T00:00:01Z") }),
        actual({ size: 2 }, { rv: "12", ...managed("robot", "2026-01-01T00:00:02Z") }),
      ]),
    );
    expect(row.driftDetails["paths"]).toMatchObject([
      { path: "/spec/size", actual: 2, manager: "robot" },
      { path: "/spec/color", actual: null, manager: "kubectl-edit", at: "2026-01-01T00:00:01Z", candidate: true },
    ]);
  });

  it("is nobody's where nobody is known", () => {
    const row = rowOf(fold([desired({ size: 1, color: "red" }), actual({ size: 1 })]));
    expect(row.driftDetails["paths"]).toMatchObject([{ path: "/spec/color", manager: "", at: "", candidate: true }]);
  });
});

describe("conflicts", () => {
  const edit = (spec: object, rv: string, manager: string) =>
    actual(
      { ...spec },
      { rv, metadata: { managedFields: [{ manager, operation: "Update", time: "2026-01-01T00:00:00Z" }] } },
    );
  const agreed = [desired({ size: 1, color: "red" }), edit({ size: 1, color: "red" }, "10", "git-applier")];

  it("are detected when both sides left what they agreed on, with the paths of each", () => {
    const cluster = edit({ size: 5, color: "red" }, "11", "kubectl-edit");
    const git = desired({ size: 1, color: "blue" }, { commit: COMMIT_2 });
    const row = rowOf(fold([...agreed, cluster, git]));
    expect(row.conflictStatus).toBe("detected");
    expect(row.conflictDetails).toMatchObject({
      actual: { manager: "kubectl-edit", paths: ["/spec/size"] },
      desired: { commit: COMMIT_2, paths: ["/spec/color"] },
    });
  });

  it("are resolved by the side that comes round", () => {
    const path = [
      ...agreed,
      edit({ size: 5, color: "red" }, "11", "kubectl-edit"),
      desired({ size: 1, color: "blue" }, { commit: COMMIT_2 }),
    ];
    const byCluster = rowOf(fold([...path, edit({ size: 1, color: "blue" }, "12", "git-applier")]));
    expect([byCluster.conflictStatus, byCluster.conflictDetails["resolvedBy"]]).toEqual(["resolved", "actual"]);
    const byGit = rowOf(fold([...path, desired({ size: 5, color: "red" }, { commit: COMMIT_2 })]));
    expect([byGit.conflictStatus, byGit.conflictDetails["resolvedBy"]]).toEqual(["resolved", "desired"]);
    const third = { size: 7, color: "green" };
    const byBoth = rowOf(fold([...path, desired(third, { commit: COMMIT_2 }), edit(third, "13", "robot")]));
    expect([byBoth.conflictStatus, byBoth.conflictDetails["resolvedBy"]]).toEqual(["resolved", "both"]);
  });

  it("are not seen in the cluster following Git step by step", () => {
    const row = rowOf(
      fold([
        ...agreed,
        desired({ size: 2, color: "blue" }, { commit: COMMIT_2 }),
        edit({ size: 2, color: "red" }, "11", "git-applier"),
        edit({ size: 2, color: "blue" }, "12", "git-applier"),
      ]),
    );
    expect([row.conflictStatus, row.resourceState, row.externalModifications]).toEqual(["none", "synced", []]);
  });

  it("begin with an edit from outside, of which the last 50 are kept", () => {
    const edits = Array.from({ length: 60 }, (_, index) =>
      edit({ size: index + 2, color: "red" }, String(11 + index), "kubectl-edit"),
    );
    const row = rowOf(fold([...agreed, ...edits]));
    expect(row.externalModifications).toHaveLength(50);
    const last = { manager: "kubectl-edit", operation: "Update", resourceVersion: "70", at: row.updatedAt };
    expect(row.externalModifications.at(-1)).toEqual(last);
    expect(row.externalModifications[0]).toMatchObject({ resourceVersion: "21" });
  });
});
