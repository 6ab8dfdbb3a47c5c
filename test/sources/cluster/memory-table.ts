import { keyString } from "../../../src/core/identity.ts";
import type { ActualDelete, ActualUpsert, Observation } from "../../../src/core/observation.ts";
import type { ActualKey, ActualKeysQuery, ApplyResult, Batch, Cursor, Fence } from "../../../src/core/ports.ts";

/**
 * A test double of the store: the actual side of `resource` as a map. It counts what a real table would have written, so that "no
 * write" can be told; it judges nothing (the reducer has tests of its own).
 */
export class MemoryTable {
  readonly rows = new Map<string, ActualUpsert>();
  readonly cursors = new Map<string, Cursor>();
  /** Every end of an object, with its reason. */
  readonly deletions: ActualDelete[] = [];
  /** Changes of content; what came again unchanged is not counted. */
  writes = 0;
  /** Thrown by the next writes. */
  readonly faults: Error[] = [];
  /** Writes wait for it. */
  gate: Promise<void> = Promise.resolve();

  constructor(earlier?: MemoryTable) {
    if (!earlier) return;
    for (const [key, row] of earlier.rows) this.rows.set(key, row);
    for (const [scope, cursor] of earlier.cursors) this.cursors.set(scope, cursor);
  }

  get names(): string[] {
    return [...this.rows.values()].map(({ key }) => key.name).sort();
  }
  row(name: string, kind?: string): ActualUpsert | undefined {
    return [...this.rows.values()].find(({ key }) => key.name === name && (kind === undefined || key.kind === kind));
  }

  async apply(batch: Batch): Promise<ApplyResult> {
    await new Promise((resolve) => setImmediate(resolve));
    await this.gate;
    const fault = this.faults.shift();
    if (fault) throw fault;
    const before = this.writes;
    for (const observation of batch.observations) this.#take(observation);
    for (const cursor of batch.cursors) this.cursors.set(cursor.scope, cursor);
    const observations = batch.observations.length;
    const changed = this.writes - before;
    const unchanged = observations - changed;
    return { observations, changed, unchanged, refreshed: 0, stale: 0, deadLettered: [], durationMs: 1 };
  }

  async readCursors(): Promise<Cursor[]> {
    return [...this.cursors.values()];
  }

  async dropCursor(_fence: Fence, _source: string, scope: string): Promise<void> {
    this.cursors.delete(scope);
  }

  async actualKeys(query: ActualKeysQuery): Promise<ActualKey[]> {
    const after = query.after === null ? "" : `${query.after.namespace}\0${query.after.name}`;
    return [...this.rows.values()]
      .filter(({ key }) => key.apiGroup === query.apiGroup && key.kind === query.kind)
      .filter(({ key }) => query.namespace === "" || key.namespace === query.namespace)
      .map(({ key, uid, resourceVersion }) => ({ namespace: key.namespace, name: key.name, uid, resourceVersion }))
      .filter((key) => `${key.namespace}\0${key.name}` > after)
      .sort((a, b) => (`${a.namespace}\0${a.name}` < `${b.namespace}\0${b.name}` ? -1 : 1))
      .slice(0, query.limit);
  }

  #take(seen: Observation): void {
    if (seen.side !== "actual") throw new Error("the cluster has only an actual side");
    const key = keyString(seen.key);
    const row = this.rows.get(key);
    if (seen.type === "delete") {
      if (row === undefined || (seen.uid !== "" && seen.uid !== row.uid)) return;
      this.rows.delete(key);
      this.deletions.push(seen);
      this.writes += 1;
      return;
    }
    this.rows.set(key, seen);
    if (row === undefined || row.content.hash !== seen.content.hash || row.uid !== seen.uid) this.writes += 1;
  }
}
