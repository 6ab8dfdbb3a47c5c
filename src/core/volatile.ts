import { canonicalJson, isJsonObject } from "./json.ts";
import type { JsonValue } from "./json.ts";
import { pathTree, step } from "./path-tree.ts";
import type { PathTree } from "./path-tree.ts";
import { segmentsOf } from "./pointer.ts";

/**
 * Paths whose changes tell nothing: heartbeats, counters, readings that never stand still. They are stored with the object but stay
 * outside its hash, so they make no history and no row version (invariant 8). Keys are `Kind.group`, or `*` for every kind; paths are
 * JSON pointers from the object's root under `/spec` and `/status`, `*` stands for one segment.
 */
export type VolatileFields = Readonly<Record<string, readonly string[]>>;

/** What is volatile unless the Fabric says otherwise (`volatile-choice.ts`). */
export const DEFAULT_VOLATILE_FIELDS: VolatileFields = {
  "*": [
    "/status/conditions/*/lastHeartbeatTime",
    "/status/conditions/*/lastProbeTime",
    "/status/conditions/*/lastUpdateTime",
  ],
  "Agent.agent.githedgehog.com": [
    // Written every 15 s, and with every enforcement every 2 min, whether or not anything changed. What was applied is told by
    // lastAppliedGen, which counts.
    "/status/lastHeartbeat",
    "/status/lastAttemptTime",
    "/status/lastAppliedTime",
    "/status/state/nos/uptime",
    "/status/state/interfaces/*/counters",
    // Optical and electrical readings; presence, state and thresholds count.
    "/status/state/transceivers/*/temp",
    "/status/state/transceivers/*/voltage",
    "/status/state/transceivers/*/channels",
    "/status/state/platform/fans/*/speed",
    "/status/state/platform/psus/*/inCurrent",
    "/status/state/platform/psus/*/inPower",
    "/status/state/platform/psus/*/inVoltage",
    "/status/state/platform/psus/*/outCurrent",
    "/status/state/platform/psus/*/outPower",
    "/status/state/platform/psus/*/outVoltage",
    "/status/state/platform/temps/*/temp",
    // Keepalives. Session state, prefixes and transitions count.
    "/status/state/bgpNeighbors/*/*/msgs",
    "/status/state/bgpNeighbors/*/*/lastRead",
    "/status/state/bgpNeighbors/*/*/lastWrite",
    "/status/state/criticalResources",
  ],
  "GatewayAgent.gwint.githedgehog.com": [
    "/status/lastHeartbeat",
    "/status/lastAppliedTime",
    "/status/state/lastCollectedTime",
    "/status/state/peerings",
    "/status/state/vpcs/*/b",
    "/status/state/vpcs/*/d",
    "/status/state/vpcs/*/p",
    "/status/state/bgp/vrfs/*/neighbors/*/messages",
  ],
  // Our own answer: it tells of the spec, and must not come back as a change.
  "DeviceState.fabricsync.dev": ["/status"],
  // A lease that is renewed is the same lease.
  "DHCPSubnet.dhcp.githedgehog.com": ["/status/allocated/*/expiry"],
  "Lease.coordination.k8s.io": ["/spec/renewTime"],
};

/** A {@link VolatileFields} table made ready for use. */
export interface VolatileMatcher {
  /** The volatile paths of a kind. `hasSpec`: whether its objects have a `spec`; assumed where it is not said. */
  of(apiGroup: string, kind: string, hasSpec?: boolean): VolatilePaths;
}
export interface VolatilePaths {
  readonly spec: PathTree<true> | null;
  readonly status: PathTree<true> | null;
  readonly labels: PathTree<true> | null;
  readonly annotations: PathTree<true> | null;
  /** What they were made of, where they are a Fabric's own choice. */
  readonly own?: OwnVolatile;
}

/** The paths of one kind where they are not the built-in ones; it travels with the observation, so it is plain data. */
export interface OwnVolatile {
  /** Stands for the paths, in the row: a hash means nothing without them. */
  readonly digest: string;
  /** Of the parts that an observation has; see {@link compilePaths}. */
  readonly paths: readonly string[];
}

/** Prepares a table: once at start, not for each object. */
export function compileVolatile(fields: VolatileFields): VolatileMatcher {
  const common = fields["*"] ?? [];
  const fallback = compilePaths(common);
  const byKind = new Map(
    Object.entries(fields)
      .filter(([kind]) => kind !== "*")
      .map(([kind, paths]) => [kind, compilePaths([...common, ...paths])] as const),
  );
  return { of: (apiGroup, kind) => byKind.get(`${kind}.${apiGroup}`) ?? fallback };
}

/** Paths under `/spec`, `/status`, `/metadata/labels` and `/metadata/annotations`; what else there is has no place in a hash. */
export function compilePaths(paths: readonly string[], own?: OwnVolatile): VolatilePaths {
  const root = pathTree(paths.map((path) => [segmentsOf(path), true] as const));
  const metadata = step(root, "metadata");
  return {
    spec: step(root, "spec"),
    status: step(root, "status"),
    labels: step(metadata, "labels"),
    annotations: step(metadata, "annotations"),
    ...(own === undefined ? {} : { own }),
  };
}

/** {@link DEFAULT_VOLATILE_FIELDS}, ready for use. */
export const BUILT_IN_VOLATILE = compileVolatile(DEFAULT_VOLATILE_FIELDS);

/** Canonical JSON without the volatile paths: equal texts mean that nothing changed that counts. */
export function canonicalWithout(value: JsonValue, node: PathTree<true> | null): string {
  if (node?.rule === true) return "null";
  if (node === null || value === null || typeof value !== "object") return canonicalJson(value);
  if (!Array.isArray(value) && !isJsonObject(value)) return canonicalJson(value);
  const keys = Array.isArray(value) ? [...value.keys()].map(String) : Object.keys(value).sort();
  let text = "";
  for (const key of keys) {
    const child = step(node, key);
    if (child?.rule === true) continue;
    const item = Array.isArray(value) ? value[Number(key)] : value[key];
    text += `${text === "" ? "" : ","}${JSON.stringify(key)}:${canonicalWithout(item ?? null, child)}`;
  }
  return `{${text}}`;
}

/** The value without its volatile paths. */
export function withoutVolatile(value: JsonValue, node: PathTree<true> | null): JsonValue {
  if (node?.rule === true) return null;
  if (node === null || value === null || typeof value !== "object") return value;
  const kept = (key: string): boolean => step(node, key)?.rule !== true;
  if (Array.isArray(value)) {
    return value.flatMap((item, index) =>
      kept(String(index)) ? [withoutVolatile(item, step(node, String(index)))] : [],
    );
  }
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => kept(key))
      .map(([key, item]) => [key, withoutVolatile(item, step(node, key))]),
  );
}
