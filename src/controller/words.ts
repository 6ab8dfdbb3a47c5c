import type { StreamStatus } from "../core/streams.ts";

/** Streams, documents and rules that a message names before it counts the rest. */
const NAMED_AT_MOST = 5;

export function describeStream({ plural, kind, apiGroup }: StreamStatus): string {
  if (plural === "") return apiGroup === "" ? kind : `${kind}.${apiGroup}`;
  return apiGroup === "" ? plural : `${plural}.${apiGroup}`;
}

export function named(texts: readonly string[], total: number = texts.length): string {
  const shown = texts.slice(0, NAMED_AT_MOST);
  const rest = total - shown.length;
  return rest > 0 ? `${shown.join(", ")} and ${rest} more` : shown.join(", ");
}

export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** `main@sha1:0123456789ab`: as much of the commit as tells it apart. */
export function shortRevision(revision: string): string {
  return revision.replace(/([0-9a-f]{12})[0-9a-f]{28,}$/, "$1");
}
