import { isJsonObject } from "../core/json.ts";
import { isDeclared, isThere } from "../core/resource-row.ts";
import type { ResourceRow } from "../core/row.ts";
import { projectAgent } from "./agent.ts";
import { projectServer, projectSwitch } from "./boxes.ts";
import { projectConnection } from "./connection.ts";
import { projectDeviceState } from "./device-state.ts";
import { projectExternal, projectExternalAttachment } from "./external.ts";
import { NOTHING } from "./facts.ts";
import { projectGateway, projectGatewayAgent } from "./gateway.ts";
import type { Projection, Projector } from "./projection.ts";
import { projectSwitchProfile } from "./switch-profile.ts";
import { projectDhcpSubnet, projectVpc } from "./vpc.ts";

/** Kinds that tell of the network, as `Kind.group`. References between resources are another matter: `core/relations.ts`. */
const PROJECTORS: ReadonlyMap<string, Projector> = new Map<string, Projector>([
  ["Agent.agent.githedgehog.com", projectAgent],
  ["Switch.wiring.githedgehog.com", projectSwitch],
  ["Server.wiring.githedgehog.com", projectServer],
  ["Connection.wiring.githedgehog.com", projectConnection],
  ["SwitchProfile.wiring.githedgehog.com", projectSwitchProfile],
  ["VPC.vpc.githedgehog.com", projectVpc],
  ["External.vpc.githedgehog.com", projectExternal],
  ["ExternalAttachment.vpc.githedgehog.com", projectExternalAttachment],
  ["DHCPSubnet.dhcp.githedgehog.com", projectDhcpSubnet],
  ["Gateway.gateway.githedgehog.com", projectGateway],
  ["DeviceState.fabricsync.dev", projectDeviceState],
  ["GatewayAgent.gwint.githedgehog.com", projectGatewayAgent],
]);

/** Kinds whose raw observation is kept for a while: those that report what a device said. */
const SNAPSHOTS: ReadonlySet<string> = new Set([
  "Agent.agent.githedgehog.com",
  "GatewayAgent.gwint.githedgehog.com",
  "DeviceState.fabricsync.dev",
]);

type Kind = Pick<ResourceRow, "apiGroup" | "kind">;

/** The kinds that have a projection, as `Kind.group`: what a rebuild walks. */
export function projectedKinds(): readonly string[] {
  return [...PROJECTORS.keys()];
}

export function hasProjection({ apiGroup, kind }: Kind): boolean {
  return PROJECTORS.has(`${kind}.${apiGroup}`);
}

export function hasSnapshot({ apiGroup, kind }: Kind): boolean {
  return SNAPSHOTS.has(`${kind}.${apiGroup}`);
}

/** What a row tells of the network; null where its kind tells nothing. A row whose sides are both gone tells that there is nothing left. */
export function project(row: ResourceRow): Projection | null {
  const projector = PROJECTORS.get(`${row.kind}.${row.apiGroup}`);
  if (projector === undefined) return null;
  if (!isThere(row) && !isDeclared(row)) return NOTHING;
  return isJsonObject(row.actualSpec ?? row.desiredSpec ?? undefined) || row.actualStatus !== null
    ? projector(row)
    : NOTHING;
}
