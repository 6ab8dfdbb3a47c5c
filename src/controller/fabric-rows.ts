import type { Fabric, FabricMetadata } from "../api/fabric.ts";
import { FabricSyncError } from "../core/errors.ts";
import { abortable } from "../core/pause.ts";
import type { ReducePolicy } from "../core/policy.ts";
import type { LandingCounts } from "../core/landed.ts";
import type { FabricCounts, FabricRecord, Fence } from "../core/ports.ts";
import type { Logger } from "../core/telemetry.ts";
import type { StoreFacts } from "./facts.ts";
import type { ControllerStore } from "./parts.ts";
import { sourceError } from "./running.ts";

/** Rows are counted at most this often (ms), and no oftener than ten times what a count takes. */
const COUNT_GAP_MS = 1_000;
/** Counts may change without us (maintenance, dead-letter commands), so they are asked again (ms). */
const COUNT_AGAIN_MS = 60_000;
/** The same while some objects have not been heard of since Git changed them (ms): a bookmark makes them known, and no row changes by it. */
const COUNT_UNSEEN_MS = 10_000;
/** A server that takes longer to count (ms) is stopped or cut off: the status must say so before the driver gives up on it. */
const COUNT_WITHIN_MS = 5_000;

/** One Fabric's place in Postgres: its row, the fence, what is counted, and what Postgres said last. */
export class FabricRows {
  readonly #store: ControllerStore;
  readonly #holder: string;
  readonly #now: () => number;
  readonly #log: Pick<Logger, "info">;
  #record: FabricRecord | null = null;
  #fence: Fence | null = null;
  #gitTaken = false;
  #retention = "";
  #refreshed = "";
  #counts: FabricCounts | null = null;
  #landings: LandingCounts | null = null;
  #hasGit = false;
  #counting = { changed: true, at: 0, tookMs: 0 };
  #facts: StoreFacts = { asked: false, error: null };

  constructor(store: ControllerStore, holder: string, now: () => number, log: Pick<Logger, "info">) {
    this.#store = store;
    this.#log = log;
    this.#holder = holder;
    this.#now = now;
  }

  /** What the last exchange said, for StoreReady. */
  get facts(): StoreFacts {
    return this.#facts;
  }

  get counts(): FabricCounts | null {
    return this.#counts;
  }

  get landings(): LandingCounts | null {
    return this.#landings;
  }

  /** null until {@link own} has come through. */
  get owned(): { readonly record: FabricRecord; readonly fence: Fence; readonly gitTaken: boolean } | null {
    if (this.#record === null || this.#fence === null) return null;
    return { record: this.#record, fence: this.#fence, gitTaken: this.#gitTaken };
  }

  /** The `fabric` row with its retention, and the fence: asked once, and again when one of them is not as it should be. */
  async own({ metadata, spec }: Fabric, signal: AbortSignal): Promise<void> {
    const { namespace, name, uid } = metadata;
    this.#hasGit = spec.git !== undefined;
    const retention = JSON.stringify([spec.retention, spec.references]);
    if (this.#fence !== null && this.#retention === retention) return;
    await this.#ask(signal, async (store) => {
      const record = await store.registerFabric({
        namespace,
        name,
        uid,
        retention: spec.retention,
        references: spec.references ?? [],
      });
      this.#record = record;
      this.#retention = retention;
      if (this.#fence !== null) return;
      const fence = await store.acquireFence(record.id, this.#holder);
      const cursors = await store.readCursors(record.id);
      this.#gitTaken = cursors.some(({ source, completeAt }) => source === "git" && completeAt !== null);
      this.#fence = fence;
    });
  }

  /** Makes anew what another release made of the rows, or what was made before the Fabric named other references. */
  async refresh(fence: Fence, signal: AbortSignal): Promise<void> {
    if (this.#refreshed === this.#retention) return;
    const figures = await this.#ask(signal, (store) => store.refreshProjections(fence, signal));
    if (figures !== null) this.#log.info(figures, "projections were made anew, their rules having changed");
    this.#refreshed = this.#retention;
  }

  /** Somebody else has the fence; {@link own} takes it back. */
  loseFence(): void {
    this.#fence = null;
  }

  /** Judges every row by `policy`. */
  async judge(fence: Fence, policy: ReducePolicy, signal: AbortSignal): Promise<void> {
    const { changed } = await this.#ask(signal, (store) => store.rejudge(fence, policy, signal));
    if (changed > 0) this.changed();
  }

  /** Rows were written. False when that was known already. */
  changed(): boolean {
    if (this.#counting.changed) return false;
    this.#counting.changed = true;
    return true;
  }

  /** When to count (ms since the epoch); null when there is nothing to count. */
  get countDueAt(): number | null {
    const { changed, at, tookMs } = this.#counting;
    if (this.#record === null) return null;
    const unseen = (this.#landings?.inCluster.unknown ?? 0) > 0;
    const again = unseen ? COUNT_UNSEEN_MS : COUNT_AGAIN_MS;
    return at + Math.max(changed ? COUNT_GAP_MS : again, 10 * tookMs);
  }

  /** Counts when it is due, or `now`. */
  async count(signal: AbortSignal, when: "due" | "now" = "due"): Promise<void> {
    const record = this.#record;
    const due = this.countDueAt;
    if (record === null || due === null || (when === "due" && this.#now() < due)) return;
    const began = this.#now();
    this.#counting.changed = false;
    let done = false;
    try {
      const limit = AbortSignal.timeout(COUNT_WITHIN_MS);
      const silent = (error: unknown): never => {
        if (!limit.aborted) throw error;
        const seconds = COUNT_WITHIN_MS / 1_000;
        throw new FabricSyncError("StoreSilent", "wait", `the database has not answered a question for ${seconds} s`);
      };
      this.#counts = await this.#ask(signal, (store) => abortable(store.counts(record.id), limit).catch(silent));
      this.#landings = this.#hasGit ? await this.#countLandings(record.id, signal) : null;
      done = true;
    } finally {
      const at = this.#now();
      // What failed is asked again soon, however long the failure took: until then StoreReady tells of it.
      this.#counting = { changed: this.#counting.changed || !done, at, tookMs: done ? at - began : 0 };
    }
  }

  /** null when it takes too long: a figure that is not known, and no trouble of the database. */
  async #countLandings(fabricId: string, signal: AbortSignal): Promise<LandingCounts | null> {
    const limit = AbortSignal.timeout(COUNT_WITHIN_MS);
    return this.#ask(signal, (store) =>
      abortable(store.landings(fabricId), limit).catch((error: unknown) => {
        if (limit.aborted) return null;
        throw error;
      }),
    );
  }

  /** Deals with the rows of a Fabric that is being deleted; one that was never registered has none. */
  async retire(
    { namespace, name, uid }: FabricMetadata,
    policy: "delete" | "retain",
    signal: AbortSignal,
  ): Promise<void> {
    await this.#ask(signal, async (store) => {
      // By its uid, so that a deletion that was cut off is found again.
      const record = this.#record ?? (await store.registerFabric({ namespace, name, uid }));
      await store.retireFabric(record.id, policy);
    });
  }

  /** The object went without us: its finalizer was taken away by hand. Its rows are kept, and marked. */
  async detach(signal: AbortSignal): Promise<void> {
    const record = this.#record;
    if (record !== null) await this.#ask(signal, (store) => store.retireFabric(record.id, "retain"));
  }

  async #ask<Answer>(signal: AbortSignal, ask: (store: ControllerStore) => Promise<Answer>): Promise<Answer> {
    try {
      // A statement that hangs must not hold up the end; each of them is safe to repeat.
      const answer = await abortable(ask(this.#store), signal);
      this.#facts = { asked: true, error: null };
      return answer;
    } catch (error) {
      if (!signal.aborted) this.#facts = { asked: true, error: sourceError(error) };
      throw error;
    }
  }
}
