import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";

/** Every file below a directory, by its path below `prefix`: what a test repository is filled with. */
export async function filesBelow(directory: string, prefix: string): Promise<Record<string, Buffer>> {
  const files: Record<string, Buffer> = {};
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files[join(prefix, relative(directory, path))] = await readFile(path);
  }
  return files;
}
