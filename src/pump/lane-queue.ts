/**
 * What one lane holds: observations in order of their first offer, and cursor marks between them.
 *
 * Per key only the newest observation is kept, in the place of the oldest. So a mark that was set behind the older one still
 * has everything before it in front of it; that it may commit with newer content than it speaks of is harmless, because a
 * resume from the mark sees the newer content again and writes nothing.
 */
import { keyString } from "../core/identity.ts";
import type { Observation } from "../core/observation.ts";
import type { Cursor } from "../core/ports.ts";
import { approximateBytes } from "./size.ts";

interface Entry {
  observation: Observation;
  bytes: number;
  /** Told by a watch, not by a list. */
  hurried: boolean;
}
interface Mark {
  /** The mark may commit when so many entries of the lane were taken. */
  readonly position: number;
  readonly cursor: Cursor;
}

export class LaneQueue {
  // A Map keeps the place of a key whose value is replaced: it is queue and index in one.
  readonly #entries = new Map<string, Entry>();
  readonly #marks: Mark[] = [];
  #appended = 0;
  #taken = 0;
  #bytes = 0;
  #hurried = 0;
  #waitsSince = 0;

  get items(): number {
    return this.#entries.size;
  }
  /** Estimated bytes of what is queued. */
  get bytes(): number {
    return this.#bytes;
  }
  /** Whether it holds what somebody may be waiting for: anything but what a list brings. */
  get isHurried(): boolean {
    return this.#hurried > 0;
  }
  /** How long its first entry has waited, at most (ms). */
  get waitsFor(): number {
    return this.#entries.size === 0 ? 0 : performance.now() - this.#waitsSince;
  }
  get marks(): number {
    return this.#marks.length;
  }
  /** Entries ever queued; a replacement is none. */
  get appended(): number {
    return this.#appended;
  }
  /** Entries ever taken out. */
  get taken(): number {
    return this.#taken;
  }
  /** Whether a mark waits that was set before entry `position + 1`. */
  hasMarkUpTo(position: number): boolean {
    const first = this.#marks[0];
    return first !== undefined && first.position <= position;
  }

  /** Queues the observation; true when it replaced an older one of the same key. */
  push(observation: Observation): boolean {
    const key = keyString(observation.key);
    const bytes = approximateBytes(observation);
    const hurried = observation.writePath !== "list";
    const queued = this.#entries.get(key);
    this.#bytes += bytes - (queued?.bytes ?? 0);
    if (hurried && queued?.hurried !== true) this.#hurried += 1;
    if (queued !== undefined) {
      queued.observation = observation;
      queued.bytes = bytes;
      queued.hurried ||= hurried;
      return true;
    }
    if (this.#entries.size === 0) this.#waitsSince = performance.now();
    this.#entries.set(key, { observation, bytes, hurried });
    this.#appended += 1;
    return false;
  }

  /** Marks the present end of the queue. Of marks of one scope at the same place only the last is kept. */
  mark(cursor: Cursor): void {
    const last = this.#marks.at(-1);
    if (last?.position === this.#appended && last.cursor.scope === cursor.scope) this.#marks.pop();
    this.#marks.push({ position: this.#appended, cursor });
  }

  /**
   * Takes up to `limit` observations from the front. Stops early before a key that `refuse` names (another lane has it in
   * the same batch already) and before `maxBytes` would be passed, but a first entry is always taken.
   */
  take(
    limit: number,
    maxBytes: number,
    refuse: (key: string) => boolean,
  ): { taken: Observation[]; keys: string[]; bytes: number } {
    const taken: Observation[] = [];
    const keys: string[] = [];
    let bytes = 0;
    for (const [key, entry] of this.#entries) {
      if (taken.length >= limit || refuse(key)) break;
      if (taken.length > 0 && bytes + entry.bytes > maxBytes) break;
      this.#entries.delete(key);
      taken.push(entry.observation);
      keys.push(key);
      bytes += entry.bytes;
      if (entry.hurried) this.#hurried -= 1;
    }
    if (taken.length > 0) this.#waitsSince = performance.now();
    this.#taken += taken.length;
    this.#bytes -= bytes;
    return { taken, keys, bytes };
  }

  dropMarks(): void {
    this.#marks.length = 0;
  }

  /** Removes the marks that everything taken so far has reached, and gives the last of each scope. */
  takeMarks(): Cursor[] {
    const due = this.#marks.findIndex((mark) => mark.position > this.#taken);
    const reached = this.#marks.splice(0, due === -1 ? this.#marks.length : due);
    const last = new Map(reached.map((mark) => [`${mark.cursor.source}\0${mark.cursor.scope}`, mark.cursor]));
    return [...last.values()];
  }
}
