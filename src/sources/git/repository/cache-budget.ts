import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

/** How many bytes the cached repositories take, as of when each was last looked at. */
export class CacheBudget {
  readonly #maxBytes: number;
  readonly #sizes = new Map<string, number>();

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** May be negative. */
  get remaining(): number {
    return this.#maxBytes - [...this.#sizes.values()].reduce((sum, size) => sum + size, 0);
  }

  /** Looks how large the repository is now. */
  async measure(directory: string): Promise<void> {
    this.#sizes.set(directory, await bytesBelow(directory));
  }

  forget(directory: string): void {
    this.#sizes.delete(directory);
  }
}

/** Everything of size in a bare repository is in its packs; references and loose objects are few. */
async function bytesBelow(directory: string): Promise<number> {
  let sum = 0;
  const packs = join(directory, "objects", "pack");
  for (const name of await readdir(packs).catch(() => [])) {
    // A file that goes while we look takes nothing.
    sum += await stat(join(packs, name)).then(
      ({ size }) => size,
      () => 0,
    );
  }
  return sum;
}
