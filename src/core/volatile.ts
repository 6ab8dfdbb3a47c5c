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

/** What is volatile unless the caller says otherwise. */
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
  /** The volatile paths of a kind; null where it has none. */
  of(apiGroup: string, kind: string): VolatilePaths;
}
export interface VolatilePaths {
  readonly spec: PathTree<true> | null;
  readonly status: PathTree<true> | null;
}

/** Prepares a table: once at start, not for each object. */
export function compileVolatile(fields: VolatileFields): VolatileMatcher {
  const common = fields["*"] ?? [];
  const fallback = tree(common);
  const byKind = new Map(
    Object.entries(fields)
      .filter(([kind]) => kind !== "*")
      .map(([kind, paths]) => [kind, tree([...common, ...paths])] as const),
  );
  return { of: (apiGroup, kind) => byKind.get(`${kind}.${apiGroup}`) ?? fallback };
}

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

function tree(paths: readonly string[]): VolatilePaths {
  const root = pathTree(paths.map((path) => [segmentsOf(path), true] as const));
  return { spec: step(root, "spec"), status: step(root, "status") };
}
