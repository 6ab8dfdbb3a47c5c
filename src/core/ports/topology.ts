/** What is made of resources: devices, links, references. */
import type { LinkEvidence, LinkVerdict } from "../vocabulary.ts";
import type { Fence } from "./observations.ts";

/** A device as the map shows it. `mentionedOnly`: nothing tells of it, something refers to it. `observedAt` is RFC 3339. */
export interface TopologyDevice {
  readonly name: string;
  readonly role: string;
  readonly site: string;
  readonly mentionedOnly: boolean;
  readonly observedAt: string | null;
}
/** A link with its verdict; `deviceB` is '' where the other end has no name. */
export interface TopologyLink {
  readonly deviceA: string;
  readonly interfaceA: string;
  readonly deviceB: string;
  readonly interfaceB: string;
  readonly kind: string;
  readonly declared: boolean;
  readonly verdict: LinkVerdict;
  readonly evidence: LinkEvidence;
}
export interface Topology {
  readonly devices: readonly TopologyDevice[];
  readonly links: readonly TopologyLink[];
}

/** Rows that are made of resources: devices and what they tell, links, references. They are written with each resource. */
export interface ProjectionStore {
  /** Every device and link of the fabric, in the order of their names. */
  readTopology(fabricId: string): Promise<Topology>;
  /** Makes them anew where they were made by other rules than this program's and the Fabric's; null where they were not. */
  refreshProjections(
    fence: Fence,
    signal: AbortSignal,
  ): Promise<{ readonly resources: number; readonly writes: number } | null>;
  /**
   * Makes them anew of every resource of the fabric, by difference: after a release that makes more of the same resources. Safe to repeat, and
   * beside a running operator. `writes` counts the rows that were written or removed.
   */
  rebuildProjections(
    fence: Fence,
    signal: AbortSignal,
  ): Promise<{ readonly resources: number; readonly writes: number }>;
}
