import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";

/** ulimit counts in blocks of this many bytes (POSIX). */
export const BLOCK_BYTES = 512;

/**
 * Removes what an exchange that ended early left of its pack. Nothing else may write into the repository meanwhile.
 * @returns the bytes of the largest file.
 */
export async function removePartialPack(directory: string): Promise<number> {
  let largest = 0;
  for (const folder of [join(directory, "objects", "pack"), join(directory, "objects")]) {
    const names = await readdir(folder).catch(() => []);
    for (const name of names.filter((one) => one.startsWith("tmp_"))) {
      const file = join(folder, name);
      const size = await stat(file).then(
        (found) => found.size,
        () => 0,
      );
      largest = Math.max(largest, size);
      await rm(file, { recursive: true, force: true });
    }
  }
  return largest;
}
