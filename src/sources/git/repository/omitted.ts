import type { GitFile } from "../../../core/ports.ts";
import { isKept } from "../plan.ts";

/**
 * Bytes of the largest blob that is fetched: the most that `limits.maxFileBytes` may be. The server is asked to leave larger ones out, so
 * a push with a film in it costs what its manifests cost. Servers that cannot do that send everything; then `maxTransferBytes` bounds it.
 */
export const MAX_BLOB_BYTES = 16_777_216;

/** The size of a blob that a tree names and that is not here: more than {@link MAX_BLOB_BYTES}. It is never fetched later. */
export const OMITTED = Number.POSITIVE_INFINITY;

/** For git's `remote.<name>.partialclonefilter`; it leaves out what is as long or longer. */
export const BLOB_FILTER = `blob:limit=${MAX_BLOB_BYTES + 1}`;

/** Name of the remote that stands in the environment of an exchange, and in no file. */
export const REMOTE = "server";

/** For commands that walk all objects: those that were left out are no damage. */
export const KNOWS_OMITTED = ["-c", `remote.${REMOTE}.promisor=true`];

/** Blobs that were here once: where one of them is missing the cache is damaged. */
export function blobsRead(stored: ReadonlyMap<string, GitFile>): Set<string> {
  return new Set([...stored.values()].filter(({ keys }) => keys.some((key) => !isKept(key))).map(({ blob }) => blob));
}
