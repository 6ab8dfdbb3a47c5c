const SPACE = 0x20;
/** Lines of one text: etcd takes no object with so many. */
const MAX_LINES = 1_000_000;
/** Header of a text that is kept as it is: with its last line break, or without. */
const HEADER = /\|(-?)(?=\n)/y;

/**
 * The text under a `|` or `|-`, where its indentation is beyond doubt.
 * @param at offset of the header
 * @param indent of the mapping that it is a value of
 * @returns its value, the offset of the line break that ends it, and how many lines it has; null when the library must judge.
 */
export function readLiteral(
  text: string,
  at: number,
  indent: number,
): { readonly value: string; readonly end: number; readonly lines: number } | null {
  HEADER.lastIndex = at;
  const header = HEADER.exec(text);
  if (header === null) return null;
  const lines: string[] = [];
  /** Of the text, known from its first line. */
  let inside = -1;
  let end = at + header[0].length;
  while (end + 1 < text.length) {
    if (lines.length > MAX_LINES) return null;
    const start = end + 1;
    const newline = text.indexOf("\n", start);
    let first = start;
    while (text.charCodeAt(first) === SPACE) first += 1;
    const spaces = first - start;
    if (first === newline) {
      // Spaces that may be part of the text, or say something about its indentation.
      if (inside < 0 ? spaces > 0 : spaces > inside) return null;
      lines.push("");
    } else {
      if (inside < 0 && spaces > indent) inside = spaces;
      if (spaces < inside || inside < 0) {
        if (spaces > indent) return null;
        break;
      }
      if (newline < 0) return null;
      lines.push(text.slice(start + inside, newline));
    }
    end = newline;
  }
  if (inside < 0) return null;
  const count = lines.length;
  while (lines.at(-1) === "") lines.pop();
  return { value: lines.join("\n") + (header[1] === "-" ? "" : "\n"), end, lines: count };
}

/** Offset of the line break that ends the line, or of the end of the text. */
export function endOfLine(text: string, from: number): number {
  const newline = text.indexOf("\n", from);
  return newline < 0 ? text.length : newline;
}
