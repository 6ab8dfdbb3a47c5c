import type { JsonObject } from "../../src/core/json.ts";
import { objectNamed } from "./example.ts";
import { deviceState, made, openLab, stateOf, type Lab } from "./lab.ts";

let lab: Lab;
beforeAll(async () => {
  lab = await openLab();
});
beforeEach(async () => {
  await lab.at.sql("DELETE FROM fabric_sync.resource");
  await lab.put(...lab.objects);
});
afterAll(async () => {
  await lab[Symbol.asyncDispose]();
});

const outward = (): Promise<string[]> =>
  lab.list(`SELECT concat_ws(' ', device_a || '/' || interface_a, device_b, kind, verdict, evidence) AS text
          FROM fabric_sync.links WHERE device_a LIKE 'outside:%' OR device_b LIKE 'outside:%' ORDER BY 1`);

test("a cable that leads out ends at a box of its own name, behind which the External is", async () => {
  expect(await outward()).toEqual([
    "leaf-04/E1/10 outside:leaf-04--external--edge external unknown none",
    "outside:leaf-04--external--edge/vlan 100 ext.edge attachment unknown none",
  ]);
  const map = await lab.at.store.readTopology(lab.at.fabricId);
  expect(map.devices.filter(({ role }) => ["external", "outside"].includes(role))).toMatchObject([
    { name: "ext.edge", role: "external", mentionedOnly: false },
    { name: "outside:leaf-04--external--edge", role: "outside", mentionedOnly: true },
  ]);
});

test.each<[string, JsonObject, string]>([
  ["a stranger", { sysName: "isp-7", portID: "xe-0/0/1" }, "match name_only"],
  ["one of ours", { sysName: "leaf-02", portID: "E1/9" }, "wrong_device one_end"],
])("who is heard there is whom it leads to, unless it is %s", async (_title, heard, expected) => {
  const agent = objectNamed(lab.objects, "Agent", "leaf-04");
  (stateOf(agent)["interfaces"] as JsonObject)["E1/10"] = { oper: "up", lldpNeighbors: [heard] };
  await lab.put(agent);
  expect((await outward())[0]).toBe(`leaf-04/E1/10 outside:leaf-04--external--edge external ${expected}`);
});

test("an address of the External at the port speaks for the cable; one of ours against it", async () => {
  const state = (address: string): JsonObject =>
    deviceState("leaf-04-arp", {
      device: "leaf-04",
      addresses: [{ address: "192.0.2.1/31", interface: "E1/10.100" }],
      arpEntries: [{ address, interface: "E1/10.100", mac: "0c:20:12:ee:00:01" }],
    });
  await lab.put(state("192.0.2.0"));
  expect((await outward())[0]).toMatch(/external match address_only$/);
  const wrong = objectNamed(lab.objects, "Switch", "leaf-02");
  Object.assign(wrong["spec"] as JsonObject, { vtepIP: "192.0.2.0/32" });
  const gone = objectNamed(lab.objects, "ExternalAttachment", "leaf-04--edge");
  Object.assign(gone["spec"] as JsonObject, { neighbor: {} });
  await lab.put(wrong, gone);
  expect((await outward())[0]).toMatch(/external wrong_device address_only$/);
});

test("a static external has the address of its next hop, and the switch its own", async () => {
  await lab.put(
    made("wiring.githedgehog.com/v1beta1", "Connection", "leaf-01--static", {
      spec: {
        staticExternal: {
          withinVPC: "web",
          link: {
            switch: {
              port: "leaf-01/E1/20",
              ip: "198.51.100.1/30",
              nextHop: "198.51.100.2",
              vlan: 7,
              subnets: ["0.0.0.0/0"],
            },
          },
        },
      },
    }),
  );
  expect(await outward()).toContain("leaf-01/E1/20 outside:leaf-01--static staticExternal unknown none");
  expect(
    await lab.list(
      "SELECT concat_ws(' ', device, interface, address) AS text FROM fabric_sync.addresses WHERE address << '198.51.100.0/24' ORDER BY 1",
    ),
  ).toEqual(["leaf-01 E1/20 198.51.100.1/30", "outside:leaf-01--static  198.51.100.2"]);
});

test("who reaches an External: over an external peering and over a gateway, by every attachment", async () => {
  await lab.put(
    made("vpc.githedgehog.com/v1beta1", "ExternalAttachment", "leaf-04--edge-2", {
      spec: {
        external: "edge",
        connection: "not-there-yet",
        neighbor: {},
        switch: {},
        static: { remoteIP: "203.0.113.9", ip: "203.0.113.8/31", vlan: 200 },
      },
    }),
    made("gateway.githedgehog.com/v1alpha1", "GatewayPeering", "data--edge", {
      spec: {
        peering: {
          data: { expose: [{ ips: [{ vpcSubnet: "db" }] }] },
          "ext.edge": { expose: [{ ips: [{ cidr: "0.0.0.0/0" }, { not: "10.0.0.0/8" }] }] },
        },
      },
    }),
    made("vpc.githedgehog.com/v1beta1", "External", "lonely", { spec: { ipv4Namespace: "default" } }),
    // What no API server lets in, and Git may say all the same.
    made("gateway.githedgehog.com/v1alpha1", "GatewayPeering", "odd", { spec: { peering: ["ext.edge"] } }),
  );
  expect(
    await lab.list(`SELECT concat_ws(' | ', external, vpc, subnets, prefixes, peering_kind, attachment, device, interface, vlan, neighbor_address, session_state) AS text
                  FROM fabric_sync.externals ORDER BY 1`),
  ).toEqual([
    'edge | data | [{"vpcSubnet": "db"}] | [{"cidr": "0.0.0.0/0"}, {"not": "10.0.0.0/8"}] | GatewayPeering | leaf-04--edge | leaf-04 | E1/10 | 100 | 192.0.2.0 | ',
    'edge | data | [{"vpcSubnet": "db"}] | [{"cidr": "0.0.0.0/0"}, {"not": "10.0.0.0/8"}] | GatewayPeering | leaf-04--edge-2 |  |  | 200 | 203.0.113.9 | ',
    'edge | web | ["front"] | ["0.0.0.0/0"] | ExternalPeering | leaf-04--edge | leaf-04 | E1/10 | 100 | 192.0.2.0 | ',
    'edge | web | ["front"] | ["0.0.0.0/0"] | ExternalPeering | leaf-04--edge-2 |  |  | 200 | 203.0.113.9 | ',
    "lonely |  |  |  |  |  |  | ",
  ]);
});

test("a gateway's agent tells what it runs, its interfaces, its sessions and what it was given", async () => {
  const agent = made("gwint.githedgehog.com/v1alpha1", "GatewayAgent", "gw-1", {
    spec: {
      agentVersion: "v0.9.0",
      gateway: {
        asn: 65534,
        protocolIP: "172.30.8.1/32",
        vtepIP: "172.30.12.1/32",
        interfaces: {
          enp2s1: { kernel: "enp2s1", pci: "0000:00:02.0", mtu: 9216, ips: ["172.30.128.33/31", "no address"] },
        },
      },
      vpcs: {
        web: { internalID: "00001", vni: 100, subnets: { front: { cidr: "10.20.1.0/24" } } },
        data: { vni: 200 },
      },
      peerings: { "web--data": { gatewayGroup: "default", peering: { web: {}, data: {} } } },
    },
    status: {
      agentVersion: "v0.9.0",
      lastAppliedGen: 3,
      lastHeartbeat: "2026-01-15T08:00:00Z",
      state: {
        dataplane: { version: "v1.2.3" },
        frr: { lastAppliedGen: 3 },
        vpcs: { web: { p: 10, b: 1000, d: 0 } },
        peerings: { "web->data": { p: 10, b: 1000, d: 0, bps: 1.5, pps: 0.1 } },
        bgp: {
          vrfs: {
            default: {
              neighbors: {
                "172.30.128.32": {
                  sessionState: "established",
                  localAS: 65534,
                  peerAS: 65101,
                  ipv4UnicastPrefixes: { received: 12, receivedPrePolicy: 14, sent: 3 },
                  l2VPNEVPNPrefixes: { received: 40, sent: 4 },
                },
                "172.30.128.34": { sessionState: "open" },
                "172.30.128.36": { sessionState: "unset" },
                "172.30.128.38": { sessionState: "dancing" },
              },
            },
          },
        },
      },
    },
  });
  await lab.put(agent);
  const [device] = await lab.at.sql(
    "SELECT role, nos_version, asn::integer AS asn, source_kind, inventory, readings FROM fabric_sync.devices WHERE name = 'gw-1'",
  );
  expect(device).toEqual({
    role: "gateway",
    nos_version: "v1.2.3",
    asn: 65534,
    source_kind: "GatewayAgent",
    inventory: {
      agent: { version: "v0.9.0" },
      lastAppliedGen: 3,
      dataplane: { version: "v1.2.3" },
      frr: { lastAppliedGen: 3 },
      vpcs: {
        data: { vni: 200, reported: false },
        web: { internalID: "00001", vni: 100, subnets: { front: { cidr: "10.20.1.0/24" } }, reported: true },
      },
      peerings: { "web--data": { group: "default", between: ["data", "web"] } },
    },
    readings: {
      vpcs: { web: { p: 10, b: 1000, d: 0 } },
      peerings: { "web->data": { p: 10, b: 1000, d: 0, bps: 1.5, pps: 0.1 } },
    },
  });
  expect(
    await lab.at.sql(
      "SELECT neighbor, state, remote_asn::integer AS asn, prefixes FROM fabric_sync.bgp_sessions WHERE device = 'gw-1' ORDER BY 1",
    ),
  ).toEqual([
    {
      neighbor: "172.30.128.32",
      state: "established",
      asn: 65101,
      prefixes: { ipv4Unicast: { rec: 12, recPre: 14, sent: 3 }, l2VPNEVPN: { rec: 40, sent: 4 } },
    },
    { neighbor: "172.30.128.34", state: "open_sent", asn: null, prefixes: {} },
    { neighbor: "172.30.128.36", state: "unknown", asn: null, prefixes: {} },
  ]);
  expect(
    await lab.list(
      "SELECT concat_ws(' ', name, nos_name, mtu, addresses, source) AS text FROM fabric_sync.interfaces WHERE device = 'gw-1'",
    ),
  ).toEqual(["enp2s1 enp2s1 9216 {172.30.128.33/31} GatewayAgent"]);
  expect(
    await lab.list("SELECT part AS text FROM fabric_sync.resource_dead_letter WHERE name = 'gw-1' ORDER BY 1"),
  ).toEqual(["/spec/gateway/interfaces/enp2s1/ips/1", "/status/state/bgp/vrfs/default/neighbors/172.30.128.38"]);
});

test("an External is who its address says: known to sessions and next hops, and not taken for a device of its name", async () => {
  const [found] = await lab.at.sql(
    "SELECT name, role, asn::integer AS asn, source_kind FROM fabric_sync.devices WHERE role = 'external'",
  );
  expect(found).toEqual({ name: "ext.edge", role: "external", asn: 64600, source_kind: "External" });
  expect(
    await lab.at.sql("SELECT address::text AS address FROM fabric_sync.addresses WHERE device = 'ext.edge'"),
  ).toEqual([{ address: "192.0.2.0/32" }]);
});
