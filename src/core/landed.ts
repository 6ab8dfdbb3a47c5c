/**
 * Whether a commit has landed, object by object, from what was observed alone: a yes is never concluded from silence.
 *
 * | stage   | yes                                                              | no                                   | unknown                         |
 * |---------|------------------------------------------------------------------|--------------------------------------|---------------------------------|
 * | cluster | both sides were compared and agree, or Git dropped it and it is gone | it differs, is missing, or still there | it could not be compared        |
 * | device  | every agent whose copy of it is the cluster's has applied its generation | a copy is older, or not applied yet  | no agent tells of it            |
 *
 * `superseded`: a later commit changed the object again, so that nothing of this one can be seen any more.
 */
import { isJsonObject, sameJson } from "./json.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import type { ResourceRow } from "./row.ts";

export type Landing = "yes" | "no" | "unknown" | "superseded" | "not_applicable";

/** What is known of one object that a commit changed. */
export interface Landed {
  readonly row: ResourceRow;
  readonly cluster: Landing;
  readonly device: Landing;
  /** Why, in words. */
  readonly reason: string;
}

/** Where an Agent keeps its copies of the objects that its switch is configured by. */
const COPIES: Readonly<Record<string, string>> = {
  "Connection.wiring.githedgehog.com": "connections",
  "Switch.wiring.githedgehog.com": "switches",
  "VLANNamespace.wiring.githedgehog.com": "vlanNamespaces",
  "External.vpc.githedgehog.com": "externals",
  "ExternalAttachment.vpc.githedgehog.com": "externalAttachments",
  "ExternalPeering.vpc.githedgehog.com": "externalPeerings",
  "IPv4Namespace.vpc.githedgehog.com": "ipv4Namespaces",
  "VPC.vpc.githedgehog.com": "vpcs",
  "VPCAttachment.vpc.githedgehog.com": "vpcAttachments",
  "VPCPeering.vpc.githedgehog.com": "vpcPeers",
};

/**
 * @param row as it is now
 * @param commit whole
 * @param agents the fabric's Agent rows that are there
 */
export function landedOf(row: ResourceRow, commit: string, agents: readonly ResourceRow[]): Landed {
  if (row.desiredCommit !== commit) {
    const reason = `changed again by commit ${row.desiredCommit}`;
    return { row, cluster: "superseded", device: "superseded", reason };
  }
  const { landing: cluster, reason } = inCluster(row);
  if (cluster !== "yes")
    return { row, cluster, device: copiesField(row) === undefined ? "not_applicable" : cluster, reason };
  const device = onDevices(row, agents);
  return { row, cluster, device: device.landing, reason: device.reason === "" ? reason : device.reason };
}

/** Whether everything that was asked about is there, as far as it can be. */
export function hasLanded(all: readonly Landed[]): boolean {
  const done: ReadonlySet<Landing> = new Set(["yes", "superseded", "not_applicable"]);
  return all.length > 0 && all.every(({ cluster, device }) => done.has(cluster) && done.has(device));
}

function inCluster(row: ResourceRow): { landing: Landing; reason: string } {
  if (row.desiredSpec === null) {
    return row.actualSpec === null && row.actualUpdated !== null
      ? { landing: "yes", reason: "dropped by Git and gone from the cluster" }
      : row.actualSpec === null
        ? { landing: "unknown", reason: "dropped by Git; the cluster was never seen with it" }
        : { landing: "no", reason: "dropped by Git, still in the cluster" };
  }
  switch (row.driftStatus) {
    case "in_sync":
      return { landing: "yes", reason: "the cluster has what Git declares" };
    case "drifted":
    case "missing":
    case "invalid":
      return { landing: "no", reason: row.stateChangeReason };
    case "unknown":
    case "extra":
    case "untracked":
      return { landing: "unknown", reason: textOf(row.driftDetails["reason"]) || row.stateChangeReason };
  }
}

function onDevices(row: ResourceRow, agents: readonly ResourceRow[]): { landing: Landing; reason: string } {
  const field = copiesField(row);
  if (field === undefined) return { landing: "not_applicable", reason: "" };
  const copies = agents.flatMap((agent) => {
    const all = childOf(agent.actualSpec, field);
    const copy = isJsonObject(all) && Object.hasOwn(all, row.name) ? all[row.name] : undefined;
    return copy === undefined ? [] : [{ agent, copy }];
  });
  if (row.desiredSpec === null) {
    const left = copies.map(({ agent }) => agent.name);
    if (left.length > 0) return { landing: "no", reason: `still configured on ${left.join(", ")}` };
    return agents.length === 0 ? silent : pending(agents, "without it");
  }
  if (copies.length === 0) return silent;
  const older = copies.filter(({ copy }) => !sameJson(copy, row.actualSpec ?? null)).map(({ agent }) => agent.name);
  if (older.length > 0) return { landing: "no", reason: `not handed to ${older.join(", ")} yet` };
  return pending(
    copies.map(({ agent }) => agent),
    "of it",
  );
}

const silent = { landing: "unknown", reason: "no agent tells of it" } as const;

function pending(agents: readonly ResourceRow[], what: string): { landing: Landing; reason: string } {
  const waiting = agents.filter(({ actualStatus, actualGeneration }) => {
    const applied = childOf(actualStatus, "lastAppliedGen");
    return applied !== actualGeneration;
  });
  if (waiting.length === 0) return { landing: "yes", reason: `applied by ${names(agents)}` };
  return { landing: "no", reason: `the configuration ${what} is not applied by ${names(waiting)} yet` };
}

function names(agents: readonly ResourceRow[]): string {
  const shown = agents.slice(0, 5).map(({ name }) => name);
  return agents.length > shown.length
    ? `${shown.join(", ")} and ${agents.length - shown.length} more`
    : shown.join(", ");
}

function copiesField({ kind, apiGroup }: ResourceRow): string | undefined {
  return COPIES[`${kind}.${apiGroup}`];
}

function childOf(value: JsonValue | null, name: string): JsonValue | undefined {
  return isJsonObject(value ?? undefined) ? (value as JsonObject)[name] : undefined;
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === "string" ? value : "";
}
