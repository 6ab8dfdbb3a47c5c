/** Every verb that the program uses, and where: what `deploy/` grants is held to it in both directions. */
export interface UsedVerb {
  readonly group: string;
  /** With its subresource. */
  readonly resource: string;
  readonly verb: string;
  readonly namespaced: boolean;
  /** The file that sends it. */
  readonly file: string;
}

const use = (group: string, resource: string, verb: string, file: string, namespaced = false): UsedVerb => ({
  ...{ group, resource, verb, namespaced, file },
});

export const OPERATOR_VERBS: readonly UsedVerb[] = [
  use("fabricsync.dev", "fabrics", "list", "src/controller/fabric-watch.ts"),
  use("fabricsync.dev", "fabrics", "watch", "src/controller/fabric-watch.ts"),
  use("fabricsync.dev", "fabrics", "patch", "src/controller/finalizer.ts"),
  use("fabricsync.dev", "fabrics/status", "patch", "src/controller/status-writer.ts"),
  use("fabricsync.dev", "devicestates/status", "patch", "src/sources/cluster/device-state-answers.ts"),
  use("", "secrets", "get", "src/controller/secrets.ts"),
  use("events.k8s.io", "events", "create", "src/controller/events.ts"),
  use("events.k8s.io", "events", "patch", "src/controller/events.ts"),
  use("apiextensions.k8s.io", "customresourcedefinitions", "watch", "src/sources/cluster/crd-watch.ts"),
  use("coordination.k8s.io", "leases", "get", "src/controller/lease.ts", true),
  use("coordination.k8s.io", "leases", "create", "src/controller/lease.ts", true),
  use("coordination.k8s.io", "leases", "update", "src/controller/lease.ts", true),
];

/** Done in the name of the identity of dry runs, each with `dryRun=All`. */
export const DRY_RUN_VERBS: readonly Pick<UsedVerb, "verb" | "file">[] = [
  { verb: "get", file: "src/sources/cluster/drift/dry-run.ts" },
  { verb: "create", file: "src/sources/cluster/drift/refusal.ts" },
  { verb: "update", file: "src/sources/cluster/drift/dry-run.ts" },
  { verb: "patch", file: "src/sources/cluster/drift/dry-run.ts" },
];

/** What is done to kinds that are mirrored. */
export const MIRROR_VERBS: readonly Pick<UsedVerb, "verb" | "file">[] = [
  { verb: "list", file: "src/sources/cluster/stream-requests.ts" },
  { verb: "watch", file: "src/sources/cluster/stream-requests.ts" },
];
