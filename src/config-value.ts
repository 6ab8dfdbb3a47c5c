import { accessSync, constants } from "node:fs";

/** Thrown by the parser of one setting; its text says what is wrong and what would be right. */
export class Wrong extends Error {}

/** @throws Wrong when `file` cannot be read. */
export function readable(file: string, what = ""): void {
  try {
    accessSync(file, constants.R_OK);
  } catch {
    throw new Wrong(`${what}${quote(file)} cannot be read; give the path of a file`);
  }
}

/** A value as told to a person, shortened; one that may hold a credential is not told. */
export function quote(text: string): string {
  return /:\/\/|@/.test(text) ? "the value" : JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
