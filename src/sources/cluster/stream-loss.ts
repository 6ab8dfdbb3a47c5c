import type { Cursor } from "../../core/ports.ts";
import { compareResourceVersions } from "../../core/resource-version.ts";
import type { StreamStatus } from "../../core/streams.ts";

/** What the database lost of one stream's commits, until it holds as much again as it had confirmed. */
export class StreamLoss {
  #foundAt: number | null = null;
  /** Where the database must stand to hold everything again. */
  #until = "";

  /** The database does not stand at `confirmed` any more, though it had said so. */
  found(confirmed: string, at: number): void {
    // What was lost before and is not there yet counts as well.
    if ((compareResourceVersions(confirmed, this.#until) ?? 1) > 0) this.#until = confirmed;
    this.#foundAt = at;
  }

  /** A complete list was taken in: with it everything is there, also where the cluster's storage was set back meanwhile. */
  listed(position: string): void {
    this.#until = position;
  }

  /** `saved`: where the database stands now. Nothing where nothing was ever lost. */
  facts(saved: Cursor | null): Pick<StreamStatus, "loss"> {
    if (this.#foundAt === null) return {};
    const repaired = saved !== null && (compareResourceVersions(saved.position, this.#until) ?? -1) >= 0;
    return { loss: { foundAt: this.#foundAt, repaired } };
  }
}
