import type { Topology, TopologyDevice, TopologyLink } from "../core/ports.ts";
import { COLOURS, isWell, tierOf, TIERS } from "./topology-view.ts";

/** Sizes of the drawing (px). A name of 14 characters at 11 px fits a box. */
const BOX = { width: 104, height: 26, gap: 16 };
/** Devices side by side before the tier goes on below: 16 boxes are as wide as a large screen. */
const PER_ROW = 16;
/** Between the rows of one tier, and between tiers, where most lines run. */
const ROW_GAP = 34;
const TIER_GAP = 130;
/** Between the lines of parallel links. */
const PARALLEL_GAP = 5;
const MARGIN = 24;
const LEGEND_HEIGHT = 56;
const LINE_HEIGHT = 15;
/** Findings that are written out below the drawing. */
const FINDINGS = 40;
/** Links above which those that are well step back, so that what is not shows. */
const MANY_LINKS = 200;

interface Place {
  readonly x: number;
  readonly y: number;
}

/**
 * The map as one SVG: tiers from spines to servers, every cable a line of its own, what is not well in colour, dashed and on top; a device or a line tells
 * its names when it is pointed at.
 */
export function topologySvg({ devices, links }: Topology, title: string): string {
  const tiers = TIERS.map(([name], index) => ({
    name,
    devices: devices.filter(({ role }) => tierOf(role) === index),
  })).filter((tier) => tier.devices.length > 0);
  const places = new Map<string, Place>();
  const columns = Math.min(PER_ROW, Math.max(1, ...tiers.map((tier) => tier.devices.length)));
  const width = Math.max(640, MARGIN * 2 + columns * (BOX.width + BOX.gap) - BOX.gap);
  let y = MARGIN + LEGEND_HEIGHT;
  const titles: string[] = [];
  for (const tier of tiers) {
    titles.push(`<text class="tier" x="${MARGIN}" y="${y - 8}">${escape(tier.name)} (${tier.devices.length})</text>`);
    const ordered = nearTheirNeighbours(tier.devices, links, places);
    for (let from = 0; from < ordered.length; from += PER_ROW) {
      const row = ordered.slice(from, from + PER_ROW);
      const span = row.length * (BOX.width + BOX.gap) - BOX.gap;
      row.forEach(({ name }, index) => places.set(name, { x: (width - span) / 2 + index * (BOX.width + BOX.gap), y }));
      y += BOX.height + ROW_GAP;
    }
    y += TIER_GAP - ROW_GAP;
  }
  const below = y - TIER_GAP + ROW_GAP + MARGIN;
  const findings = findingsOf(links, below);
  const height = below + findings.length * LINE_HEIGHT;
  const lines = linesOf(links, places);
  const boxes = devices.map((device) => boxOf(device, places.get(device.name), links));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="11">`,
    "<style>.tier{fill:#555;font-size:12px;paint-order:stroke;stroke:#fff;stroke-width:4px}.name{text-anchor:middle}line{stroke-linecap:round}line:hover{stroke-width:5}</style>",
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    legend(title, devices, links),
    ...lines.filter(([well]) => well).map(([, line]) => line),
    ...lines.filter(([well]) => !well).map(([, line]) => line),
    ...boxes,
    ...titles,
    ...findings,
    "</svg>\n",
  ].join("\n");
}

/** What is not well, in words, below the drawing: a printed page cannot be pointed at. */
function findingsOf(links: readonly TopologyLink[], y: number): string[] {
  const odd = links.filter(({ verdict }) => !isWell(verdict));
  const lines = odd
    .slice(0, FINDINGS)
    .map(
      ({ deviceA, interfaceA, deviceB, interfaceB, verdict, evidence }) =>
        [
          COLOURS[verdict],
          `${verdict}: ${deviceA} ${interfaceA} – ${deviceB || "not known"} ${interfaceB} (${evidence})`,
        ] as const,
    );
  const more = odd.length > FINDINGS ? [["#555", `and ${odd.length - FINDINGS} more`] as const] : [];
  return [...lines, ...more].map(
    ([colour, text], index) =>
      `<text x="${MARGIN}" y="${y + index * LINE_HEIGHT}" fill="${colour}">${escape(text)}</text>`,
  );
}

/** Devices in the order of where their neighbours above stand: fewer lines cross. */
function nearTheirNeighbours(
  devices: readonly TopologyDevice[],
  links: readonly TopologyLink[],
  places: ReadonlyMap<string, Place>,
): TopologyDevice[] {
  const above = new Map<string, number[]>();
  for (const { deviceA, deviceB } of links) {
    for (const [one, other] of [
      [deviceA, deviceB],
      [deviceB, deviceA],
    ] as const) {
      const place = places.get(other);
      if (place !== undefined) above.set(one, [...(above.get(one) ?? []), place.y * 10_000 + place.x]);
    }
  }
  const middle = ({ name }: TopologyDevice): number => {
    const found = above.get(name) ?? [];
    return found.length === 0 ? 0 : found.reduce((sum, value) => sum + value, 0) / found.length;
  };
  return devices.toSorted((a, b) => middle(a) - middle(b) || (a.name < b.name ? -1 : 1));
}

function linesOf(links: readonly TopologyLink[], places: ReadonlyMap<string, Place>): (readonly [boolean, string])[] {
  const parallel = new Map<string, number>();
  const total = new Map<string, number>();
  const pair = ({ deviceA, deviceB }: TopologyLink): string => [deviceA, deviceB].sort().join("\0");
  for (const link of links) total.set(pair(link), (total.get(pair(link)) ?? 0) + 1);
  return links.flatMap((link): (readonly [boolean, string])[] => {
    const a = places.get(link.deviceA);
    if (a === undefined) return [];
    // A link that leads out of what is known ends below its device.
    const b = places.get(link.deviceB) ?? { x: a.x, y: a.y + BOX.height + ROW_GAP / 2 };
    const nth = parallel.get(pair(link)) ?? 0;
    parallel.set(pair(link), nth + 1);
    const shift = (nth - ((total.get(pair(link)) ?? 1) - 1) / 2) * PARALLEL_GAP;
    const [from, to] = a.y <= b.y ? [a, b] : [b, a];
    const beside = from.y === to.y;
    const well = isWell(link.verdict);
    const line =
      `<line x1="${from.x + BOX.width / 2 + shift}" y1="${from.y + (beside ? BOX.height / 2 + shift : BOX.height)}" ` +
      `x2="${to.x + BOX.width / 2 + shift}" y2="${to.y + (beside ? BOX.height / 2 + shift : 0)}" stroke="${COLOURS[link.verdict]}" ` +
      `stroke-width="${well ? 1 : 2.5}"${well ? ` stroke-opacity="${links.length > MANY_LINKS ? 0.3 : 0.55}"` : ' stroke-dasharray="6 3"'}>` +
      `<title>${escape(`${link.deviceA} ${link.interfaceA} – ${link.deviceB || "not known"} ${link.interfaceB}: ${link.verdict} (${link.evidence})`)}</title></line>`;
    return [[well, line]];
  });
}

function boxOf(device: TopologyDevice, place: Place | undefined, links: readonly TopologyLink[]): string {
  if (place === undefined) return "";
  const mine = links.filter(({ deviceA, deviceB }) => deviceA === device.name || deviceB === device.name);
  const worst = mine.find(({ verdict }) => !isWell(verdict));
  // That a box is outside its dashes tell.
  const name = device.name.replace(/^outside:/, "");
  const shown = name.length > 16 ? `${name.slice(0, 9)}…${name.slice(-6)}` : name;
  const about = [device.name, device.role, device.site, `${mine.length} links`]
    .filter((text) => text !== "")
    .join(", ");
  return (
    `<g><title>${escape(about)}</title><rect x="${place.x}" y="${place.y}" width="${BOX.width}" height="${BOX.height}" rx="4" ` +
    `fill="${device.mentionedOnly ? "#fff" : "#eef3f7"}" stroke="${worst === undefined ? "#34495e" : COLOURS[worst.verdict]}" ` +
    `stroke-width="${worst === undefined ? 1 : 2}"${device.mentionedOnly ? ' stroke-dasharray="3 2"' : ""}/>` +
    `<text class="name" x="${place.x + BOX.width / 2}" y="${place.y + 17}">${escape(shown)}</text></g>`
  );
}

function legend(title: string, devices: readonly TopologyDevice[], links: readonly TopologyLink[]): string {
  const counts = new Map<TopologyLink["verdict"], number>();
  for (const { verdict } of links) counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
  const items = [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([verdict, count], index) => {
      const x = MARGIN + index * 118;
      const dash = isWell(verdict) ? "" : ' stroke-dasharray="6 3"';
      return `<line x1="${x}" y1="46" x2="${x + 22}" y2="46" stroke="${COLOURS[verdict]}" stroke-width="2.5"${dash}/><text x="${x + 27}" y="50">${verdict} ${count}</text>`;
    });
  return `<text x="${MARGIN}" y="26" font-size="15">${escape(`${title}: ${devices.length} devices, ${links.length} links`)}</text>${items.join("")}`;
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`).replace(/\p{Cc}/gu, " ");
}
