/** Secrets of one Fabric's webhook: `token`, and `token-previous` while they rotate. */
export type ReadSecrets = () => Promise<readonly string[]>;

interface Entry {
  readonly readAt: number;
  readonly secrets: Promise<readonly string[]>;
}

/** ms for which secrets that were read are used again: what it takes a removed secret to be refused. */
const FRESH_MS = 30_000;
/** ms between two readings caused by signatures that do not match: a new secret is known this soon, and a flood of bad ones costs no more. */
const RETRY_MS = 1_000;
/** Fabrics with webhooks at a time; beyond that the oldest are read again. */
const MOST_ENTRIES = 1_000;

/** Keeps secrets for moments, so that deliveries with bad signatures cost the API server nothing. */
export class SecretCache {
  readonly #entries = new Map<string, Entry>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  get(key: string, read: ReadSecrets): Promise<readonly string[]> {
    return this.#within(key, read, FRESH_MS);
  }

  /** After a signature that did not match: reads again what is older than a second. */
  refresh(key: string, read: ReadSecrets): Promise<readonly string[]> {
    return this.#within(key, read, RETRY_MS);
  }

  #within(key: string, read: ReadSecrets, ms: number): Promise<readonly string[]> {
    const known = this.#entries.get(key);
    if (known && this.#now() - known.readAt < ms) return known.secrets;
    const entry: Entry = { readAt: this.#now(), secrets: read() };
    // A failure is remembered as long as a mismatch, no longer.
    entry.secrets.catch(() => {
      if (this.#entries.get(key) === entry) {
        this.#entries.set(key, { ...entry, readAt: this.#now() - FRESH_MS + RETRY_MS });
      }
    });
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > MOST_ENTRIES && oldest !== undefined) this.#entries.delete(oldest);
    return entry.secrets;
  }
}
