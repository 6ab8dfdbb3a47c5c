import { createHash } from "node:crypto";
import { messageOf } from "../../core/errors.ts";
import type { Cursor, FabricStore, GitFile, ObservationStore } from "../../core/ports.ts";
import type { RevisionSink } from "../../core/streams.ts";
import type { Heartbeat, Logger } from "../../core/telemetry.ts";
import type { WritePath } from "../../core/vocabulary.ts";
import { describeRef, revisionText } from "./repository/refs.ts";
import type { GitRef, ResolvedRef } from "./repository/refs.ts";
import type { Taken } from "./take.ts";
import type { TakeRules } from "./take-rules.ts";

export interface LedgerOptions {
  readonly fabricId: string;
  readonly url: string;
  readonly ref: GitRef;
  readonly rules: TakeRules;
  readonly store: Pick<ObservationStore, "readGitFiles" | "readCursors">;
  /** Forgets the cursor of an earlier url, ref or path. */
  dropCursor(scope: string): Promise<void>;
  readonly runs: Pick<FabricStore, "beginRun" | "finishRun">;
  readonly sink: RevisionSink;
  readonly log: Logger;
}

/** What the database holds of the Git side. */
export interface Stored {
  readonly files: ReadonlyMap<string, GitFile>;
  /** The commit that was taken in under the rules of now, '' for none. */
  readonly position: string;
  readonly cursors: readonly Cursor[];
}

/** Bumped when files must be read anew because they would be understood otherwise. */
const READER_VERSION = 1;
/** ms between two beats while the database makes us wait: that is the pump's to tell, and no reason to be restarted. */
const BEAT_MS = 5_000;

/** Where one Fabric's Git side stands in the database, and how a revision gets there. */
export class Ledger {
  readonly #options: LedgerOptions;
  readonly #scope: string;
  /** null until it was read, and when a write's outcome is not known. */
  #stored: Stored | null = null;

  constructor(options: LedgerOptions) {
    this.#options = options;
    this.#scope = scopeOf(options);
  }

  /** What is known without asking. */
  get known(): Stored | null {
    return this.#stored;
  }

  /** The database may hold something else than we think. */
  forget(): void {
    this.#stored = null;
  }

  async read(): Promise<Stored> {
    if (this.#stored) return this.#stored;
    const { store, fabricId } = this.#options;
    const [files, all] = await Promise.all([store.readGitFiles(fabricId), store.readCursors(fabricId)]);
    const cursors = all.filter(({ source }) => source === "git");
    this.#stored = {
      files: new Map(files.map((file) => [file.path, file])),
      position: cursors.find(({ scope }) => scope === this.#scope)?.position ?? "",
      cursors,
    };
    return this.#stored;
  }

  /** One transaction. The run record beside it tells what came of it, whether it worked or not. */
  async commit(
    taken: Taken,
    resolved: ResolvedRef,
    how: { readonly writePath: WritePath; readonly now: number; readonly heartbeat: Heartbeat | null },
  ): Promise<void> {
    const { fabricId, runs, sink, log } = this.#options;
    const { cursors } = await this.read();
    const cursor: Cursor = { source: "git", scope: this.#scope, position: resolved.commit, completeAt: how.now };
    const target = revisionText(resolved);
    const run = await runs.beginRun({ fabricId, source: "git", trigger: how.writePath, target });
    const beating = setInterval(() => how.heartbeat?.beat(), BEAT_MS);
    try {
      const gitFiles = { upserts: taken.upserts, removed: taken.removed };
      const after = cursors.find(({ scope }) => scope === this.#scope);
      const continued = after === undefined ? {} : { after };
      const result = await sink.commit({ observations: taken.observations, cursor, ...continued, gitFiles });
      const refused = result.deadLettered.length;
      await runs.finishRun(run, {
        documents: taken.documents,
        changed: result.changed,
        unchanged: result.unchanged + result.refreshed + result.stale + taken.unmoved,
        rejected: taken.rejected + refused,
        error: "",
      });
      log.info(
        { revision: target, changed: result.changed, rejected: taken.rejected, deadLettered: refused },
        "revision taken in",
      );
      const old = cursors.filter(({ scope }) => scope !== this.#scope);
      for (const { scope } of old) await this.#options.dropCursor(scope);
      this.#stored = { files: taken.files, position: cursor.position, cursors: [cursor] };
    } catch (error) {
      // Committed or not: the database knows.
      this.#stored = null;
      const outcome = { documents: taken.documents, changed: 0, unchanged: 0, rejected: 0, error: messageOf(error) };
      await runs.finishRun(run, outcome).catch(() => undefined);
      throw error;
    } finally {
      clearInterval(beating);
    }
  }
}

/**
 * The cursor's scope: repository, reference and path, and a digest of what else decides how a tree is understood. Under another scope every
 * file is read anew.
 */
function scopeOf({ url, ref, rules }: Pick<LedgerOptions, "url" | "ref" | "rules">): string {
  const { path, limits, defaultNamespace } = rules;
  const reading = JSON.stringify([READER_VERSION, limits, defaultNamespace]);
  const digest = createHash("sha256").update(reading).digest("hex").slice(0, 8);
  return `${url} ${describeRef(ref)} ${path} ${digest}`;
}
