import type { Topology, TopologyDevice, TopologyLink } from "../core/ports.ts";
import { table } from "./table.ts";

export interface TopologyFilter {
  /** Names; none = all. */
  readonly devices: readonly string[];
  readonly role?: string;
  readonly site?: string;
}

/** The part of a map that is asked for. A link that leads out of it ends at a stub, which is shown by its name alone. */
export function narrowed(map: Topology, filter: TopologyFilter): Topology {
  const inside = new Set(
    map.devices
      .filter(({ name }) => filter.devices.length === 0 || filter.devices.includes(name))
      .filter(({ role }) => filter.role === undefined || role === filter.role)
      .filter(({ site }) => filter.site === undefined || site === filter.site)
      .map(({ name }) => name),
  );
  const links = map.links.filter(({ deviceA, deviceB }) => inside.has(deviceA) || inside.has(deviceB));
  const named = new Set([...inside, ...links.flatMap(({ deviceA, deviceB }) => [deviceA, deviceB])]);
  const known = new Map(map.devices.map((device) => [device.name, device]));
  named.delete("");
  const devices = [...named].sort().map((name): TopologyDevice => {
    const device = known.get(name) ?? { name, role: "", site: "", mentionedOnly: true, observedAt: null };
    return inside.has(name) ? device : { ...device, mentionedOnly: true };
  });
  return { devices, links };
}

export function topologyTable({ links }: Topology): string {
  if (links.length === 0) return "No links.\n";
  return table<TopologyLink>(
    [
      { title: "A", value: ({ deviceA }) => deviceA, max: 24 },
      { title: "PORT", value: ({ interfaceA }) => interfaceA, max: 12 },
      { title: "B", value: ({ deviceB }) => deviceB, max: 24 },
      { title: "PORT", value: ({ interfaceB }) => interfaceB, max: 12 },
      { title: "KIND", value: ({ kind }) => kind, max: 12 },
      { title: "VERDICT", value: ({ verdict }) => verdict },
      { title: "EVIDENCE", value: ({ evidence }) => evidence },
    ],
    links,
  );
}

/** Graphviz: one edge a cable, its ports at its ends. */
export function topologyDot({ devices, links }: Topology): string {
  const quote = (text: string): string => `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
  const nodes = devices.map(
    ({ name, role, mentionedOnly }) =>
      `  ${quote(name)} [shape=${mentionedOnly ? "plaintext" : "box"}, tooltip=${quote(role)}];\n`,
  );
  const edges = links.map(({ deviceA, interfaceA, deviceB, interfaceB, verdict }) => {
    const style = isWell(verdict) ? "" : `, color=${quote(COLOURS[verdict])}, label=${quote(verdict)}`;
    const far = deviceB === "" ? `${deviceA} ${interfaceA} outside` : deviceB;
    return `  ${quote(deviceA)} -- ${quote(far)} [taillabel=${quote(interfaceA)}, headlabel=${quote(interfaceB)}${style}];\n`;
  });
  return `graph fabric {\n  rankdir=TB;\n  node [fontname=sans];\n  edge [fontname=sans, fontsize=8];\n${nodes.join("")}${edges.join("")}}\n`;
}

/** Mermaid: one edge a cable. */
export function topologyMermaid({ devices, links }: Topology): string {
  const ids = new Map(devices.map(({ name }, index) => [name, `d${index}`]));
  const label = (text: string): string => `"${text.replaceAll('"', "#quot;")}"`;
  const nodes = devices.map(({ name, mentionedOnly }) =>
    mentionedOnly ? `  ${ids.get(name)}([${label(name)}])\n` : `  ${ids.get(name)}[${label(name)}]\n`,
  );
  const edges = links.map(({ deviceA, interfaceA, deviceB, interfaceB, verdict }, index) => {
    const far = deviceB === "" ? `o${index}((" "))` : (ids.get(deviceB) ?? "");
    const ports = [interfaceA, interfaceB].filter((port) => port !== "").join(" – ");
    return isWell(verdict)
      ? `  ${ids.get(deviceA)} ---|${label(ports)}| ${far}\n`
      : `  ${ids.get(deviceA)} -.-|${label(`${ports} ${verdict}`)}| ${far}\n`;
  });
  return `graph TD\n${nodes.join("")}${edges.join("")}`;
}

export function isWell(verdict: TopologyLink["verdict"]): boolean {
  return verdict === "match" || verdict === "unknown";
}

/** Colour-blind safe (Okabe and Ito); what matters is told by the line's dashes and the list, too. */
export const COLOURS: Readonly<Record<TopologyLink["verdict"], string>> = {
  match: "#7f8c8d",
  unknown: "#bdc3c7",
  missing: "#D55E00",
  down: "#D55E00",
  wrong_device: "#CC79A7",
  wrong_port: "#CC79A7",
  one_sided: "#E69F00",
  unexpected: "#0072B2",
  ambiguous: "#E69F00",
};
