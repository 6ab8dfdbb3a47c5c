/** What `explain` prints of references. Pure. */
import type { StoryReference } from "../core/ports.ts";
import { table } from "./table.ts";

/** Lines that are printed in each direction before the rest is only counted. */
const MAX_LINES = 20;

interface Line {
  readonly what: string;
  readonly relation: string;
  readonly sides: string;
  readonly where: string;
  readonly note: string;
}

/** Both directions, each reference once where both sides make it. */
export function referencesSection(references: readonly StoryReference[]): string {
  return (
    part(
      "REFERS TO",
      references.filter(({ direction }) => direction === "to"),
    ) +
    part(
      "REFERRED TO BY",
      references.filter(({ direction }) => direction === "by"),
    )
  );
}

function part(title: string, references: readonly StoryReference[]): string {
  const lines = linesOf(references);
  if (lines.length === 0) return "";
  const columns = table<Line>(
    [
      { title, value: ({ what }) => what, max: 48 },
      { title: "AS", value: ({ relation }) => relation, max: 16 },
      { title: "ON", value: ({ sides }) => sides },
      { title: "AT", value: ({ where }) => where, max: 56 },
      { title: " ", value: ({ note }) => (note === "" ? " " : note) },
    ],
    lines.slice(0, MAX_LINES),
  );
  const rest = lines.length - MAX_LINES;
  return `\n${columns}${rest > 0 ? `and ${rest} more; --json has them all\n` : ""}`;
}

function linesOf(references: readonly StoryReference[]): Line[] {
  const groups = Map.groupBy(references, ({ apiGroup, kind, namespace, name, path }) =>
    [apiGroup, kind, namespace, name, path].join("\0"),
  );
  return [...groups.values()].flatMap((same) => {
    const [first] = same;
    if (first === undefined) return [];
    // Git's side tells the place where a person can change it.
    const declared = same.find(({ side }) => side === "desired");
    const place = declared === undefined ? "" : ` ${declared.filePath}:${declared.line}`;
    return [
      {
        what: `${first.kind}/${first.namespace === "" ? "" : `${first.namespace}/`}${first.name}`,
        relation: first.relation,
        sides: [...new Set(same.map(({ side }) => (side === "desired" ? "git" : "cluster")))].sort().join(", "),
        where: `${first.path}${place}`,
        note: same.some(({ dangling }) => dangling) ? "leads nowhere" : "",
      },
    ];
  });
}
