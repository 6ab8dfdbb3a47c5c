import type { JsonObject } from "../../src/core/json.ts";
import { deviceState, openLab, type Lab } from "./lab.ts";

let lab: Lab;
beforeAll(async () => {
  lab = await openLab();
});
beforeEach(async () => {
  await lab.at.sql("DELETE FROM fabric_sync.resource");
});
afterAll(async () => {
  await lab[Symbol.asyncDispose]();
});

/** Links as `a/port b/port verdict evidence`, with the ports that the other end may be at. */
const links = (where = "true"): Promise<string[]> =>
  lab.list(
    `SELECT concat_ws(' ', device_a || '/' || interface_a, device_b || '/' || interface_b, verdict, evidence,
            (SELECT string_agg(c, ',') FROM jsonb_array_elements_text(details -> 'candidate_interfaces') c)) AS text
       FROM fabric_sync.links WHERE ${where} ORDER BY 1`,
  );

const MAC: Record<string, string> = { r1: "0c:20:12:dd:00:01", r2: "0c:20:12:dd:00:02", r3: "0c:20:12:dd:00:03" };
/** A device with one MAC address for all of its ports, and at which of them it sees that of whom. */
const device = (
  name: string,
  ports: readonly string[],
  sees: Record<string, string>,
  more: JsonObject = {},
): JsonObject =>
  deviceState(name, {
    chassisId: MAC[name] ?? "",
    interfaces: ports.map((port) => ({ name: port, mac: MAC[name] ?? "" })),
    macEntries: Object.entries(sees).map(([port, whom]) => ({ mac: MAC[whom] ?? "", interface: port })),
    ...more,
  });
/** A port with an address of a subnet of two, and the entry of the other one. */
const onPair = (port: string, own: string, far: string): JsonObject => ({
  addresses: [{ address: `${own}/31`, interface: port }],
  arpEntries: [{ address: far, interface: port }],
});
const PORTS = ["et1", "et2"];

test.each<[string, JsonObject[], string[]]>([
  [
    "one port at each end: one cable",
    [device("r1", PORTS, { et1: "r2" }), device("r2", PORTS, { et2: "r1" })],
    ["r1/et1 r2/et2 unexpected address_only"],
  ],
  [
    "one end alone: the other port is not known",
    [device("r1", PORTS, { et1: "r2" }), device("r2", PORTS, {})],
    ["r1/et1 r2/ unexpected address_only"],
  ],
  [
    "two ports at one end and none at the other: two cables",
    [device("r1", PORTS, { et1: "r2", et2: "r2" }), device("r2", PORTS, {})],
    ["r1/et1 r2/ unexpected address_only", "r1/et2 r2/ unexpected address_only"],
  ],
  [
    "two ports at each end: which belong together is not known",
    [device("r1", PORTS, { et1: "r2", et2: "r2" }), device("r2", PORTS, { et1: "r1", et2: "r1" })],
    [
      "r1/et1 r2/ ambiguous address_only et1,et2",
      "r1/et2 r2/ ambiguous address_only et1,et2",
      "r2/et1 r1/ ambiguous address_only et1,et2",
      "r2/et2 r1/ ambiguous address_only et1,et2",
    ],
  ],
  [
    "two ports at one end and one at the other: it may be either",
    [device("r1", PORTS, { et1: "r2", et2: "r2" }), device("r2", PORTS, { et2: "r1" })],
    [
      "r1/et1 r2/ ambiguous address_only et2",
      "r1/et2 r2/ ambiguous address_only et2",
      "r2/et2 r1/ ambiguous address_only et1,et2",
    ],
  ],
  [
    "parallel cables that subnets of two tell apart",
    [
      device(
        "r1",
        PORTS,
        {},
        {
          addresses: ["203.0.113.1/31", "203.0.113.3/31"].map((address, at) => ({
            address,
            interface: PORTS[at] ?? "",
          })),
          arpEntries: ["203.0.113.0", "203.0.113.2"].map((address, at) => ({ address, interface: PORTS[at] ?? "" })),
        },
      ),
      device(
        "r2",
        PORTS,
        {},
        {
          addresses: ["203.0.113.2/31", "203.0.113.0/31"].map((address, at) => ({
            address,
            interface: PORTS[at] ?? "",
          })),
          arpEntries: ["203.0.113.3", "203.0.113.1"].map((address, at) => ({ address, interface: PORTS[at] ?? "" })),
        },
      ),
    ],
    ["r1/et1 r2/et2 unexpected address_only", "r1/et2 r2/et1 unexpected address_only"],
  ],
  [
    "parallel cables of which one tells its ports: the other is what is left",
    [
      device("r1", PORTS, { et2: "r2" }, onPair("et1", "203.0.113.1", "203.0.113.0")),
      device("r2", PORTS, { et2: "r1" }, onPair("et1", "203.0.113.0", "203.0.113.1")),
    ],
    ["r1/et1 r2/et1 unexpected address_only", "r1/et2 r2/et2 unexpected address_only"],
  ],
  [
    "one end tells the other's port, which tells none",
    [
      device("r1", PORTS, {}, onPair("et1", "203.0.113.1", "203.0.113.0")),
      device("r2", PORTS, { et2: "r1" }, { addresses: [{ address: "203.0.113.0/31", interface: "et2" }] }),
    ],
    ["r1/et1 r2/et2 unexpected address_only"],
  ],
  [
    "one end tells another port than the one that sees it: two lines",
    [
      device("r1", PORTS, {}, onPair("et1", "203.0.113.1", "203.0.113.0")),
      device("r2", PORTS, { et1: "r1" }, { addresses: [{ address: "203.0.113.0/31", interface: "et2" }] }),
    ],
    ["r1/et1 r2/et2 unexpected address_only", "r2/et1 r1/ unexpected address_only"],
  ],
  [
    "a port that is declared is no end of what nobody declares",
    [
      device("r1", PORTS, { et1: "r2" }),
      device("r2", PORTS, { et2: "r1" }, { links: [{ interface: "et2", remoteDevice: "r3", remoteInterface: "et1" }] }),
      device("r3", PORTS, {}),
    ],
    ["r1/et1 r2/ unexpected address_only", "r2/et2 r3/et1 wrong_device address_only"],
  ],
])("seen by addresses, %s", async (_title, devices, expected) => {
  await lab.put(...devices);
  expect(await links()).toEqual(expected);
  expect(await lab.list("SELECT finding AS text FROM fabric_sync.link_findings ORDER BY 1")).toHaveLength(
    expected.length,
  );
});

test("a cable that both ends see tells what each sees", async () => {
  await lab.put(device("r1", PORTS, { et1: "r2" }), device("r2", PORTS, { et2: "r1" }));
  const [found] = await lab.at.sql<{ details: JsonObject }>("SELECT details FROM fabric_sync.links");
  expect(found?.details).toMatchObject({
    seen_a: { device: "r2", by: ["mac"], entries: [{ at: "et1", mac: MAC["r2"] }] },
    seen_b: { device: "r1", by: ["mac"], entries: [{ at: "et2", mac: MAC["r1"] }] },
  });
});
