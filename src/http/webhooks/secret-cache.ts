/**
 * Secrets of one Fabric's webhook: `token`, and `token-previous` while they rotate. A reading is for everybody who waits for it, so it ends
 * by its own signal and not when one of them hangs up.
 */
export type ReadSecrets = (signal: AbortSignal) => Promise<readonly string[]>;

interface Entry {
  /** What was read last, and when that reading was begun. */
  known: { readonly secrets: readonly string[]; readonly at: number } | null;
  /** The last reading, whether it ended or not. */
  readonly reading: Promise<readonly string[]>;
  readonly begunAt: number;
  ended: boolean;
}

/** ms for which secrets that were read are used again: what it takes a removed secret to be refused. */
const FRESH_MS = 30_000;
/** ms between two readings of one Secret: a new secret is known this soon, and a flood of bad ones costs no more. */
const RETRY_MS = 1_000;
/** ms that a reading may take; the client's own time-out is shorter. */
const READING_MS = 10_000;
/** Fabrics with webhooks at a time; beyond that the oldest are read again. */
const MOST_ENTRIES = 1_000;

/**
 * Keeps secrets for moments, so that deliveries with bad signatures cost the API server nothing. Of one Secret there is one reading at a time,
 * and while it is read again what is known of it stays good: a flood of bad ones does not make good ones wait. Nothing is read ahead of a
 * delivery: that would be some readings a minute for each Fabric for ever, for pushes that come some times a day.
 */
export class SecretCache {
  readonly #entries = new Map<string, Entry>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** What was read within the last 30 s, or else a reading. */
  async get(key: string, read: ReadSecrets): Promise<readonly string[]> {
    const entry = this.#entries.get(key);
    const known = entry?.known;
    return known && this.#now() - known.at < FRESH_MS ? known.secrets : this.refresh(key, read);
  }

  /** After a signature that did not match: a reading that is on its way, or was begun within the last second, or else a new one. */
  refresh(key: string, read: ReadSecrets): Promise<readonly string[]> {
    const entry = this.#entries.get(key);
    if (entry && (!entry.ended || this.#now() - entry.begunAt < RETRY_MS)) return entry.reading;
    return this.#begin(key, read, entry?.known ?? null);
  }

  #begin(key: string, read: ReadSecrets, known: Entry["known"]): Promise<readonly string[]> {
    const begunAt = this.#now();
    const entry: Entry = { known, reading: read(AbortSignal.timeout(READING_MS)), begunAt, ended: false };
    entry.reading.then(
      (secrets) => {
        entry.known = { secrets, at: begunAt };
        entry.ended = true;
      },
      // Told to everybody who waits for it; what was known before is good for its time.
      () => (entry.ended = true),
    );
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > MOST_ENTRIES && oldest !== undefined) this.#entries.delete(oldest);
    return entry.reading;
  }
}
