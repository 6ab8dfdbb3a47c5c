import { stringify } from "yaml";
import { z } from "zod";
import { GROUP, VERSION } from "./fabric.ts";
import { described } from "./schema.ts";
import { condition } from "./status.ts";
import { structuralSchema } from "./structural.ts";
import type { StructuralSchema } from "./structural.ts";

/** Where the generated file lies, from the root of the repository. */
export const DEVICE_STATE_CRD_PATH = "deploy/crds/fabricsync.dev_devicestates.yaml";
const KIND = "DeviceState";
const PLURAL = "devicestates";

const text = (description: string) => described(z.string().max(255), description).optional();

/**
 * A list whose elements the API server does not look into: one that cannot be read must cost itself, and not the whole object. They are checked
 * where they are taken in, and what is refused is named by its path.
 */
const list = (description: string, most: number) =>
  described(
    z
      .array(
        described(z.object({}), "One entry; fields as the list's description names them.", [], {
          preserveUnknownFields: true,
        }),
      )
      .max(most),
    `${description} Left out: not asked for, what was known stays and is marked as stale. Empty: there is nothing.`,
  ).optional();

const status = described(
  z.object({
    observedGeneration: described(z.int(), "The generation of the spec that was taken in.", [], {
      format: "int64",
    }).optional(),
    taken: described(z.record(z.string().max(63), z.int()), "How many entries of each list were taken in.").optional(),
    refusedCount: described(z.int(), "How many entries and fields were refused.").optional(),
    refused: described(
      z
        .array(
          described(
            z.object({
              path: described(z.string().max(512), "Where it stands, as a JSON pointer from the object's root."),
              reason: described(z.string().max(256), "Why it was refused."),
            }),
            "Something that was not taken in; everything else was.",
          ),
        )
        .max(32),
      "The first of what was refused.",
      [],
      { listType: "atomic" },
    ).optional(),
    conditions: described(z.array(condition).max(8), "TakenIn: whether all of it was taken in.", [], {
      listType: "map",
      listMapKeys: ["type"],
    }).optional(),
  }),
  "The operator's answer: what was taken in, and what was refused, by path.",
);

/** What a collector tells of a device that nothing else in the cluster tells of, or that it knows more of. */
export const deviceState = z.object({
  spec: described(
    z.object({
      device: text("Name of the device; the object's own when left out."),
      role: text("Its role: spine, leaf, router, firewall, …"),
      site: text("Where it stands."),
      vendor: text("Vendor."),
      model: text("Hardware model."),
      profile: text("The SwitchProfile by which its neighbours' port names are understood."),
      serialNumber: text("Serial number."),
      nos: text("Network operating system."),
      nosVersion: text("Its version."),
      managementAddress: text("Address of its management interface."),
      chassisId: text("Chassis id that it announces to neighbours."),
      asn: described(z.int().min(0).max(4_294_967_295), "AS number.", [], { format: "int64" }).optional(),
      inventory: described(z.object({}), "Power supplies, fans, optics and the like, in any form.", [], {
        preserveUnknownFields: true,
      }).optional(),
      interfaces: list(
        "name, nosName, description, adminStatus, operStatus, speed (100G, or Mbit/s), mtu, fec, mac, lag, transceiver.",
        10_000,
      ),
      addresses: list("address with its prefix length, vrf, interface.", 10_000),
      neighbors: list(
        "interface, protocol (lldp, cdp), name, chassisId, port, portDescription, description, managementAddress.",
        10_000,
      ),
      arpEntries: list("address, mac, vrf, interface, origin (dynamic, static).", 100_000),
      macEntries: list("mac, vlan, interface, origin (dynamic, static).", 100_000),
      routes: list(
        "prefix, protocol (connected, static, ospf, bgp), nextHop, vrf, interface, metric, distance.",
        100_000,
      ),
      bgpSessions: list("neighbor, vrf, state, bfdState, localAsn, remoteAsn, prefixes, establishedAt.", 10_000),
      links: list("Cables that are to be there: interface, remoteDevice, remoteInterface, kind.", 10_000),
    }),
    "The device as it was collected.",
  ),
  status: status.optional(),
});

/** The CustomResourceDefinition of DeviceState, made of the zod type. */
export function deviceStateCrd(): object {
  const properties = structuralSchema(deviceState)["properties"] as Record<string, StructuralSchema>;
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: {
      name: `${PLURAL}.${GROUP}`,
      labels: { "app.kubernetes.io/name": "fabric-sync", "app.kubernetes.io/part-of": "fabric-sync" },
    },
    spec: {
      group: GROUP,
      scope: "Namespaced",
      names: { kind: KIND, listKind: `${KIND}List`, plural: PLURAL, singular: "devicestate", shortNames: ["devstate"] },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: [
            { name: "TakenIn", type: "string", jsonPath: '.status.conditions[?(@.type=="TakenIn")].status' },
            { name: "Refused", type: "integer", jsonPath: ".status.refusedCount" },
            { name: "Role", type: "string", jsonPath: ".spec.role" },
            { name: "Site", type: "string", jsonPath: ".spec.site" },
            { name: "Model", type: "string", jsonPath: ".spec.model" },
            { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
          ],
          schema: {
            openAPIV3Schema: {
              type: "object",
              description: "What a collector tells of a network device.",
              required: ["spec"],
              properties: {
                apiVersion: { type: "string", description: `Always ${GROUP}/${VERSION}.` },
                kind: { type: "string", description: `Always ${KIND}.` },
                metadata: { type: "object" },
                spec: properties["spec"],
                status: properties["status"],
              },
            },
          },
        },
      ],
    },
  };
}

/** The text of {@link DEVICE_STATE_CRD_PATH}. */
export function generateDeviceStateCrd(): string {
  const header = "# Generated from src/api by `npm run generate`. Change it there.\n";
  return header + stringify(deviceStateCrd(), { lineWidth: 0, aliasDuplicateObjects: false });
}
