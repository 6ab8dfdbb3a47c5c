import { randomUUID } from "node:crypto";

/**
 * A UUID of version 7 (RFC 9562): 48 bits of time, then random bits, so that ids of rows made together lie together in an index.
 * @param ms since the epoch
 * @param random a UUID of version 4: its variant and its bits behind the version are taken over
 */
export function uuidV7(ms: number, random: string): string {
  const time = ms.toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(15)}`;
}

/** A new {@link uuidV7} of now. */
export function newUuid(): string {
  return uuidV7(Date.now(), randomUUID());
}
