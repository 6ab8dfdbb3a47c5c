import { readFile } from "node:fs/promises";
import type { Topology } from "../../src/core/ports.ts";
import { topologySvg } from "../../src/cli/topology-svg.ts";
import { narrowed, topologyDot, topologyMermaid, topologyTable } from "../../src/cli/topology-view.ts";
import type { TopologyFilter } from "../../src/cli/topology-view.ts";
import { fabricSync } from "../cli/support/program.ts";
import { openStore, type StoreFixture } from "../store/fixture.ts";
import { actual, exampleObjects } from "./example.ts";

let at: StoreFixture;
let map: Topology;
beforeAll(async () => {
  at = await openStore();
  const objects = await exampleObjects();
  await at.apply(objects.map((object) => actual(object, at.fabricId)));
  map = await at.store.readTopology(at.fabricId);
});
afterAll(async () => {
  await at[Symbol.asyncDispose]();
});

const matches = (text: string, pattern: RegExp): number => [...text.matchAll(pattern)].length;

test("the map holds every device and every cable, parallel ones apart", () => {
  expect(map.devices).toHaveLength(14);
  expect(map.links).toHaveLength(27);
  expect(map.links.filter(({ deviceA, deviceB }) => deviceA === "spine-01" && deviceB === "leaf-01")).toHaveLength(2);
});

test("every format draws each of them once", () => {
  expect(matches(topologyTable(map), /\n/g)).toBe(28);
  expect(matches(topologyDot(map), / -- /g)).toBe(27);
  expect(matches(topologyMermaid(map), /---|-\.-/g)).toBe(27);
  const svg = topologySvg(map, "netops/lab");
  expect(matches(svg, /<line [^>]*><title>/g)).toBe(27);
  expect(matches(svg, /<g><title>/g)).toBe(14);
  expect(svg).toContain("leaf-03 E1/3: down");
});

test("the picture in README.md is the one that the command draws", async () => {
  const readme = await readFile("README.md", "utf8");
  const [, picture] = /^```mermaid\n([^]*?)^```$/m.exec(readme) ?? [];
  expect(picture).toBe(topologyMermaid(narrowed(map, { devices: ["leaf-03", "leaf-04"] })));
});

test("a drawing says in words what is not well", () => {
  const svg = topologySvg(map, "netops/lab");
  expect(matches(svg, /<text [^>]*>(down|missing): /g)).toBe(2);
});

test("a name is exact, and a link out of what is asked for ends at a stub", () => {
  expect(narrowed(map, { devices: ["leaf-0"] })).toEqual({ devices: [], links: [] });
  const one = narrowed(map, { devices: ["leaf-03"] });
  expect(one.links).toHaveLength(8);
  expect(one.devices.filter(({ mentionedOnly }) => !mentionedOnly).map(({ name }) => name)).toEqual(["leaf-03"]);
  expect(narrowed(map, { devices: [], role: "spine" }).links).toHaveLength(16);
});

test.each<[string, TopologyFilter, string[], string[]]>([
  [
    "a set of devices",
    { devices: ["leaf-03", "spine-01"] },
    ["leaf-03", "spine-01"],
    ["leaf-01", "leaf-02", "leaf-04", "server-03", "server-04", "server-06", "spine-02"],
  ],
  ["a role", { devices: [], role: "external" }, ["ext.edge"], ["outside:leaf-04--external--edge"]],
  [
    "a site",
    { devices: [], site: "hall-2" },
    ["leaf-04"],
    ["outside:leaf-04--external--edge", "server-05", "spine-01", "spine-02"],
  ],
  ["a role at a site", { devices: [], role: "spine", site: "hall-2" }, [], []],
  ["a device at another site", { devices: ["leaf-01"], site: "hall-2" }, [], []],
  ["a device that is not there", { devices: ["leaf-99"] }, [], []],
])("every link that leads out of %s ends at a stub, in every format", (_title, filter, inside, stubs) => {
  const devices = map.devices.map((device) => (device.name === "leaf-04" ? { ...device, site: "hall-2" } : device));
  const part = narrowed({ ...map, devices }, filter);
  const named = (mentioned: boolean): string[] =>
    part.devices.flatMap(({ name, mentionedOnly }) => (mentionedOnly === mentioned ? [name] : []));
  expect([named(false), named(true)]).toEqual([inside, stubs]);
  const isIn = (name: string): boolean => inside.includes(name);
  expect(part.links).toEqual(map.links.filter(({ deviceA, deviceB }) => isIn(deviceA) || isIn(deviceB)));
  const drawn = part.links.length;
  expect(matches(topologyDot(part), / -- /g)).toBe(drawn);
  expect(matches(topologyMermaid(part), /---|-\.-/g)).toBe(drawn);
  expect(matches(topologySvg(part, "netops/lab"), /<line [^>]*><title>/g)).toBe(drawn);
  expect(topologyTable(part).split("\n").length - 2).toBe(drawn === 0 ? 0 : drawn);
});

test("no box covers another, and none leaves the drawing, for 200 devices", () => {
  const devices = Array.from({ length: 200 }, (_, index) => ({
    name: `device-${index}`,
    role: index < 8 ? "spine" : index < 100 ? "server-leaf" : "server",
    site: "",
    mentionedOnly: false,
    observedAt: null,
  }));
  const svg = topologySvg({ devices, links: [] }, "large");
  const [, width = "", height = ""] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg) ?? [];
  const boxes = [...svg.matchAll(/<rect x="([\d.]+)" y="([\d.]+)" width="(\d+)" height="(\d+)" rx/g)].map((match) =>
    match.slice(1).map(Number),
  );
  expect(boxes).toHaveLength(200);
  for (const [x = 0, y = 0, w = 0, h = 0] of boxes) {
    expect(x >= 0 && x + w <= Number(width) && y + h <= Number(height)).toBe(true);
    const covered = boxes.filter(([ox = 0, oy = 0]) => ox < x + w && x < ox + w && oy < y + h && y < oy + h);
    expect(covered).toHaveLength(1);
  }
});

test("the command draws from the table", async () => {
  const environment = { DATABASE_URL: at.database.url };
  const { code, stdout } = await fabricSync(
    ["topology", "netops/lab", "--format", "json", "--device", "leaf-03"],
    environment,
  );
  expect([code, (JSON.parse(stdout) as Topology).links.length]).toEqual([0, 8]);
  expect((await fabricSync(["topology", "netops/lab"], environment)).stdout).toContain("server-04");
  const narrow = async (...options: string[]): Promise<number> => {
    const told = await fabricSync(["topology", "netops/lab", "--format", "json", ...options], environment);
    expect(told.code).toBe(0);
    return (JSON.parse(told.stdout) as Topology).links.length;
  };
  expect([await narrow("--role", "spine"), await narrow("--site", "nowhere")]).toEqual([16, 0]);
  const { stdout: story } = await fabricSync(
    ["explain", "netops/lab", "VPCAttachment/data-db--server-04"],
    environment,
  );
  expect(story).toMatch(/^REFERS TO +AS +ON +AT$/m);
  expect(story).toMatch(
    /^Connection\/default\/server-04--unbundled--leaf-03 +connection +cluster +\/spec\/connection$/m,
  );
  const { stdout: json } = await fabricSync(["explain", "netops/lab", "Switch/leaf-04", "--json"], environment);
  expect(JSON.parse(json)).toMatchObject({ row: { dependencyScore: 5 } });
  const { stdout: target } = await fabricSync(["explain", "netops/lab", "Switch/leaf-04"], environment);
  expect(target).toMatch(/^REFERRED TO BY +AS +ON +AT$/m);
  expect(target).toMatch(/^Agent\/default\/leaf-04 +switch +cluster +\/metadata\/name$/m);
  expect(await fabricSync(["topology", "netops/lab", "--format", "png"], environment)).toMatchObject({ code: 64 });
});
