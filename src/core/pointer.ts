/** JSON pointers (RFC 6901), and patterns of them in which a segment `*` stands for any one segment. */

/** `segments` as a pointer: `~` and `/` inside a segment are escaped. */
export function pointer(segments: readonly (string | number)[]): string {
  let text = "";
  for (const segment of segments) text += `/${escapeSegment(String(segment))}`;
  return text;
}

/** The segments of a pointer, unescaped; none for ''. */
export function segmentsOf(text: string): string[] {
  if (text === "") return [];
  return text
    .slice(text.startsWith("/") ? 1 : 0)
    .split("/")
    .map((segment) => segment.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** Whether `pattern` names `path` or something that `path` lies in. */
export function covers(pattern: readonly string[], path: readonly string[]): boolean {
  return pattern.length <= path.length && pattern.every((segment, index) => segment === "*" || segment === path[index]);
}

/** Whether `pattern` names exactly `path`. */
export function matches(pattern: readonly string[], path: readonly string[]): boolean {
  return pattern.length === path.length && covers(pattern, path);
}

function escapeSegment(segment: string): string {
  return segment.replaceAll("~", "~0").replaceAll("/", "~1");
}
