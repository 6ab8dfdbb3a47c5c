import type { JsonObject } from "../core/json.ts";
import type { ResourceRow } from "../core/row.ts";
import type {
  BfdState,
  BgpState,
  EntryOrigin,
  LinkStatus,
  NeighborProtocol,
  RouteProtocol,
  Side,
} from "../core/vocabulary.ts";

/**
 * What one resource tells of the network. Every row belongs to the resource that it was made of, and to it alone: two resources never write the
 * same row, so that their order of arrival cannot matter.
 */
export interface Projection {
  readonly devices: readonly DeviceFact[];
  readonly interfaces: readonly InterfaceFact[];
  readonly addresses: readonly AddressFact[];
  readonly neighbors: readonly NeighborFact[];
  readonly arpEntries: readonly ArpFact[];
  readonly macEntries: readonly MacFact[];
  readonly routes: readonly RouteFact[];
  readonly bgpSessions: readonly BgpFact[];
  readonly links: readonly LinkFact[];
  readonly ports: readonly PortFact[];
  readonly subnets: readonly SubnetFact[];
  readonly leases: readonly LeaseFact[];
  /**
   * Sets that this state of the resource tells of. One that is told of and empty empties its table; one that is missing here was not asked
   * for or could not be had: its rows stay, and are marked as stale.
   */
  readonly observed: readonly ObservedName[];
  /** Children that cannot be taken in, each with its place in the resource; the others are. */
  readonly refused: readonly Refusal[];
}

/** The sets of rows beside the devices themselves. */
export const SETS = [
  "interfaces",
  "addresses",
  "neighbors",
  "arpEntries",
  "macEntries",
  "routes",
  "bgpSessions",
  "links",
  "ports",
  "subnets",
  "leases",
] as const;
export type SetName = (typeof SETS)[number];
/** What is told of or not: the sets, and whether the sessions come with the state of BFD. That has no rows of its own. */
export type ObservedName = SetName | "bfdSessions";

/** Makes rows of a resource. Pure, and blind to volatile fields (`core/volatile.ts`): a heartbeat projects to what is there already. */
export type Projector = (row: ResourceRow) => Projection;

/**
 * Who is believed first where two resources tell of one device: what the device itself reports, what a collector reports of it, what is declared of
 * it, and at last who merely mentions it.
 */
export const PRECEDENCE = { agent: 10, collected: 20, declared: 30, mentioned: 90 } as const;

export interface DeviceFact {
  readonly name: string;
  readonly sourceKind: string;
  /** One of {@link PRECEDENCE}. */
  readonly precedence: number;
  readonly role: string;
  readonly site: string;
  readonly vendor: string;
  readonly model: string;
  /** The SwitchProfile by which ports are named. */
  readonly profile: string;
  readonly serialNumber: string;
  readonly nos: string;
  readonly nosVersion: string;
  readonly managementAddress: string;
  readonly chassisId: string;
  readonly asn: number | null;
  readonly inventory: JsonObject;
}

export interface InterfaceFact {
  readonly device: string;
  readonly name: string;
  readonly nosName: string;
  readonly description: string;
  readonly adminStatus: LinkStatus;
  readonly operStatus: LinkStatus;
  /** Mbit/s; 0: not known. */
  readonly speedMbps: number;
  /** Bytes; 0: not known. */
  readonly mtu: number;
  readonly fec: string;
  readonly mac: string;
  readonly lag: string;
  readonly transceiver: JsonObject;
}

export interface AddressFact {
  readonly device: string;
  readonly vrf: string;
  /** With its prefix length; canonical, as `values.ts` makes it. */
  readonly address: string;
  readonly interface: string;
}

export interface NeighborFact {
  readonly device: string;
  readonly interface: string;
  readonly protocol: NeighborProtocol;
  readonly remoteChassisId: string;
  readonly remotePort: string;
  readonly remoteName: string;
  readonly remotePortDescription: string;
  readonly remoteDescription: string;
  readonly remoteManagementAddress: string;
}

export interface ArpFact {
  readonly device: string;
  readonly vrf: string;
  readonly address: string;
  readonly interface: string;
  readonly mac: string;
  readonly origin: EntryOrigin;
}

export interface MacFact {
  readonly device: string;
  readonly vlan: number;
  readonly mac: string;
  readonly interface: string;
  readonly origin: EntryOrigin;
}

export interface RouteFact {
  readonly device: string;
  readonly vrf: string;
  readonly prefix: string;
  readonly protocol: RouteProtocol;
  readonly nextHop: string;
  readonly interface: string;
  readonly metric: number;
  readonly distance: number;
}

export interface BgpFact {
  readonly device: string;
  readonly vrf: string;
  readonly neighbor: string;
  readonly state: BgpState;
  readonly bfdState: BfdState;
  readonly localAsn: number | null;
  readonly remoteAsn: number | null;
  /** Address family → counts, as told. */
  readonly prefixes: JsonObject;
  readonly establishedAt: string | null;
}

/** A cable as it is declared. The far end is '' where it is nobody that has a name (an external). */
export interface LinkFact {
  readonly deviceA: string;
  readonly interfaceA: string;
  readonly deviceB: string;
  readonly interfaceB: string;
  /** The variant of the declaration: fabric, mesh, eslag, bundled, unbundled, external, … */
  readonly kind: string;
  /** Which side declares it: the cluster where the object is there, else Git. */
  readonly side: Side;
  readonly addressA: string;
  readonly addressB: string;
}

/** A port of a switch model, and what the operating system calls it. */
export interface PortFact {
  readonly profile: string;
  readonly port: string;
  readonly nosName: string;
}

export interface SubnetFact {
  readonly vpc: string;
  readonly name: string;
  /** Subnets of one address namespace must not overlap. */
  readonly addressNamespace: string;
  readonly prefix: string;
  readonly gateway: string;
  readonly vlan: number;
}

export interface LeaseFact {
  readonly mac: string;
  readonly address: string;
  readonly hostname: string;
  /** `vpc/subnet`. */
  readonly subnet: string;
}

/** A child that is not taken in. `path` is a JSON pointer from the object's root. */
export interface Refusal {
  readonly path: string;
  /** The SQLSTATE by which Postgres would have refused it: 22P02 not readable, 22003 out of range, 23502 missing, 23505 twice. */
  readonly sqlstate: string;
  readonly column: string;
  readonly message: string;
}
