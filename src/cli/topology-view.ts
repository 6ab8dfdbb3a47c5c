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
    const far = deviceB === "" ? `${deviceA} ${interfaceA} not known` : deviceB;
    return `  ${quote(deviceA)} -- ${quote(far)} [taillabel=${quote(interfaceA)}, headlabel=${quote(interfaceB)}${style}];\n`;
  });
  return `graph fabric {\n  rankdir=TB;\n  node [fontname=sans];\n  edge [fontname=sans, fontsize=8];\n${nodes.join("")}${edges.join("")}}\n`;
}

/** Mermaid: one edge a cable, from the core of the fabric to its edge; what is not well dashed and in colour. */
export function topologyMermaid({ devices, links }: Topology): string {
  const ids = new Map(devices.map(({ name }, index) => [name, `d${index}`]));
  const tiers = new Map(devices.map(({ name, role }) => [name, tierOf(role)]));
  const label = (text: string): string => `"${text.replaceAll('"', "#quot;")}"`;
  const nodes = devices.map(({ name, mentionedOnly }) =>
    mentionedOnly ? `  ${ids.get(name)}([${label(name)}])\n` : `  ${ids.get(name)}[${label(name)}]\n`,
  );
  const edges = links.map((link, index) => {
    const a = { device: link.deviceA, port: link.interfaceA };
    const b = { device: link.deviceB, port: link.interfaceB };
    const upwards = b.device !== "" && (tiers.get(a.device) ?? 0) > (tiers.get(b.device) ?? 0);
    const [from, to] = upwards ? [b, a] : [a, b];
    const far = to.device === "" ? `o${index}((" "))` : (ids.get(to.device) ?? "");
    const ports = [from.port, to.port].filter((port) => port !== "").join(" – ");
    return isWell(link.verdict)
      ? `  ${ids.get(from.device)} ---|${label(ports)}| ${far}\n`
      : `  ${ids.get(from.device)} -.-|${label(`${ports} ${link.verdict}`)}| ${far}\n`;
  });
  const styles = links.flatMap(({ verdict }, index) =>
    isWell(verdict) ? [] : [`  linkStyle ${index} stroke:${COLOURS[verdict]},stroke-width:3px\n`],
  );
  return `graph TD\n${nodes.join("")}${edges.join("")}${styles.join("")}`;
}

/** From the core of the fabric to its edge: by role, the first rule that holds. */
export const TIERS: readonly (readonly [title: string, holds: (role: string) => boolean])[] = [
  ["spines", (role) => role === "spine"],
  ["routers and gateways", (role) => /gateway|router|firewall|core/.test(role)],
  ["leaves", (role) => /leaf|switch|access|tor/.test(role)],
  ["servers and ways out", (role) => role === "server" || role === "outside"],
  ["externals", (role) => role === "external"],
  ["others", () => true],
];

export function tierOf(role: string): number {
  return TIERS.findIndex(([, holds]) => holds(role));
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
