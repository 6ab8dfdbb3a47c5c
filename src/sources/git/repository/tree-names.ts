import { MAX_PATH_BYTES } from "../limits.ts";

const FATAL_UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const MISLEADING = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u;

/** null for what would be misread in a log, a terminal or a column: invalid UTF-8 and control characters. */
export function decodeName(name: Buffer): string | null {
  const plain = name.toString("latin1");
  if (/^[\x20-\x7e]*$/.test(plain)) return plain;
  try {
    const text = FATAL_UTF8.decode(name);
    return MISLEADING.test(text) ? null : text;
  } catch {
    return null;
  }
}

/** What can be shown of such a name: \xNN for all but plain characters. */
export function printable(name: Buffer): string {
  let text = "";
  for (const byte of name.subarray(0, MAX_PATH_BYTES / 4)) {
    text +=
      byte >= 0x20 && byte < 0x7f && byte !== 0x5c
        ? String.fromCharCode(byte)
        : `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  return text;
}
