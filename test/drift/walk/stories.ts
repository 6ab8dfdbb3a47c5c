import type { Step } from "./objects.ts";

const leaving = (value: string): readonly Step[] => [
  { git: value, state: "committed" },
  { cluster: `create ${value} held`, state: "synced" },
  { cluster: "delete", state: "terminating" },
];

const AGREED: readonly Step[] = [
  { git: "v1", state: "committed" },
  { cluster: "create v1", state: "synced" },
];

const CONFLICT: readonly Step[] = [
  ...AGREED,
  { cluster: "edit v2", state: "drifted" },
  { git: "v3", state: "drifted" },
];

/** Each object's way through the states; the n-th steps of all are one round. */
export const STORIES: Readonly<Record<string, readonly Step[]>> = {
  // Git first; edits by hand; gone, given up, declared again.
  a: [
    ...AGREED,
    { cluster: "edit v2", state: "drifted" },
    { cluster: "edit v3", state: "drifted" },
    { cluster: "edit v1", state: "synced" },
    { cluster: "delete", state: "committed" },
    { git: null, state: "deleted" },
    { git: "v1", state: "committed" },
    { cluster: "create v2", state: "drifted" },
    { cluster: "delete", state: "committed" },
  ],
  // The cluster first.
  b: [
    { cluster: "create v1", state: "orphaned" },
    { git: "v1", state: "synced" },
    { git: null, state: "orphaned" },
    { git: "v2", state: "drifted" },
    { git: null, state: "orphaned" },
    { git: "v2", state: "drifted" },
    { cluster: "delete", state: "committed" },
    { git: null, state: "deleted" },
    { cluster: "create v1", state: "orphaned" },
    { cluster: "delete", state: "deleted" },
  ],
  // Deletions that wait for a finalizer.
  c: [
    { git: "v1", state: "committed" },
    { cluster: "create v1 held", state: "synced" },
    { cluster: "delete", state: "terminating" },
    { cluster: "release", state: "committed" },
    { cluster: "create v2 held", state: "drifted" },
    { cluster: "delete", state: "terminating" },
    { git: null, state: "terminating" },
    { cluster: "release", state: "deleted" },
  ],
  d: [
    { cluster: "create v1 held", state: "orphaned" },
    { cluster: "delete", state: "terminating" },
    { cluster: "release", state: "deleted" },
  ],
  // The same edit again.
  e: [
    ...AGREED,
    { cluster: "edit v2", state: "drifted" },
    { cluster: "edit v1", state: "synced" },
    { cluster: "edit v2", state: "drifted" },
  ],
  // A kind that the platform generates.
  generated: [
    { cluster: "create v1", state: "external" },
    { cluster: "delete", state: "deleted" },
    { cluster: "create v1", state: "external" },
    { cluster: "hold", state: "external" },
    { cluster: "delete", state: "terminating" },
    { cluster: "release", state: "deleted" },
  ],
  // Both sides change, and one comes round, or both, or one goes.
  "conflict-git": [...CONFLICT, { git: "v2", state: "synced" }],
  "conflict-cluster": [...CONFLICT, { cluster: "edit v3", state: "synced" }],
  "conflict-both": [...CONFLICT, { git: "v4", state: "drifted" }, { cluster: "edit v4", state: "synced" }],
  "conflict-lost": [...CONFLICT, { cluster: "delete", state: "committed" }],
  "conflict-dropped": [...CONFLICT, { git: null, state: "orphaned" }],
  "conflict-open": CONFLICT,
  "conflict-again": [
    ...CONFLICT,
    { git: "v2", state: "synced" },
    { cluster: "edit v4", state: "drifted" },
    { git: "v5", state: "drifted" },
  ],
  // On their way out, until they are made anew while nobody looks.
  "anew-synced": leaving("v1"),
  "anew-asked": leaving("v1"),
  "anew-drifted": leaving("v1"),
  "anew-orphaned": [
    { cluster: "create v1 held", state: "orphaned" },
    { cluster: "delete", state: "terminating" },
  ],
  "generated-anew": [
    { cluster: "create v1 held", state: "external" },
    { cluster: "delete", state: "terminating" },
  ],
  // Stand still, for what comes afterwards.
  "both-1": AGREED,
  "both-2": AGREED,
  "both-3": AGREED,
  "both-held": [
    { git: "v1", state: "committed" },
    { cluster: "create v1 held", state: "synced" },
  ],
  "git-1": [{ git: "v1", state: "committed" }],
  // The schema does not have `note`: it is pruned, and does not count.
  pruned: [
    { git: "v1\n  note: kept", state: "committed" },
    { cluster: "create v1", state: "synced" },
  ],
};

/**
 * Every change of state that one observation, one answer or one change of the Fabric can make; `pending` is also what a new row begins with.
 * `reachable.test.ts` finds the same by the reducer itself.
 */
export const TRANSITIONS: readonly string[] = [
  "pending → committed",
  "pending → synced",
  "pending → drifted",
  "pending → orphaned",
  "pending → terminating",
  "pending → deleted",
  "pending → external",
  "committed → pending",
  "committed → synced",
  "committed → drifted",
  "committed → terminating",
  "committed → deleted",
  "synced → pending",
  "synced → committed",
  "synced → drifted",
  "synced → orphaned",
  "synced → terminating",
  "synced → external",
  "drifted → pending",
  "drifted → committed",
  "drifted → synced",
  "drifted → orphaned",
  "drifted → terminating",
  "drifted → external",
  "orphaned → pending",
  "orphaned → synced",
  "orphaned → drifted",
  "orphaned → terminating",
  "orphaned → deleted",
  "orphaned → external",
  "terminating → pending",
  "terminating → committed",
  "terminating → synced",
  "terminating → drifted",
  "terminating → orphaned",
  "terminating → deleted",
  "terminating → external",
  "deleted → pending",
  "deleted → committed",
  "deleted → orphaned",
  "deleted → terminating",
  "deleted → external",
  "external → pending",
  "external → synced",
  "external → drifted",
  "external → orphaned",
  "external → terminating",
  "external → deleted",
];

/** Every change of conflict_status. */
export const CONFLICTS: readonly string[] = ["none → detected", "detected → resolved", "resolved → detected"];
