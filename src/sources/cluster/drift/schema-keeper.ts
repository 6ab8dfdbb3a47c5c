import type { SchemaSet } from "../../../core/schema.ts";
import type { Logger } from "../../../core/telemetry.ts";
import type { KubeClient } from "../client.ts";
import type { Discovery } from "../discovery.ts";
import { SchemaReader } from "./schema-reader.ts";

/** The server publishes a CRD's schema up to some seconds after the CRD (ms after the news). */
const AGAIN_MS = [500, 2_000, 6_000, 15_000];
/** A schema may change without a word (ms). */
const EVERY_MS = 60_000;

export interface SchemaKeeperOptions {
  readonly reader: Pick<KubeClient, "fetch">;
  readonly discovery: () => Discovery | null;
  /** Kinds that are mirrored, as `Kind.group`. */
  readonly kinds: () => ReadonlySet<string>;
  readonly logger: Logger;
  readonly now: () => number;
  /** The server was asked for the first time, or says something else than before. */
  readonly onSchemas: () => void;
}

/** What the server says of the mirrored kinds, as it says it now: asked again after news, and by the clock. */
export class SchemaKeeper {
  readonly #options: SchemaKeeperOptions;
  readonly #reader: SchemaReader;
  #set: SchemaSet | null = null;
  #asked = false;
  #due = [0];

  constructor(options: SchemaKeeperOptions) {
    this.#options = options;
    this.#reader = new SchemaReader(options.reader, options.logger);
  }

  /** null before the server said so. */
  get schemas(): SchemaSet | null {
    return this.#set;
  }

  /** Whether the server was asked, with or without success. */
  get asked(): boolean {
    return this.#asked;
  }

  /** When to read next (ms since the epoch); Infinity while nobody knows the kinds. */
  get dueAt(): number {
    return this.#options.discovery() === null ? Infinity : Math.min(...this.#due);
  }

  /** The server's kinds changed. */
  kindsChanged(): void {
    const now = this.#options.now();
    this.#due = [now, ...AGAIN_MS.map((ms) => now + ms)];
  }

  /** Reads what is due. @throws KubeApiError, KubeUnreachable when the server does not answer; it stays due then. */
  async read(signal: AbortSignal): Promise<void> {
    const { kinds, onSchemas } = this.#options;
    const now = this.#options.now();
    const discovery = this.#options.discovery();
    if (discovery === null || this.dueAt > now) return;
    const mirrored = kinds();
    const versions = discovery.kinds
      .filter(({ group, kind }) => mirrored.has(`${kind}.${group}`))
      .map(({ group, version }) => (group === "" ? version : `${group}/${version}`));
    const before = JSON.stringify(this.#set);
    try {
      this.#set = await this.#reader.read(versions, signal);
      const later = this.#due.filter((at) => at > now);
      this.#due = later.length > 0 ? later : [now + EVERY_MS];
    } finally {
      const first = !this.#asked;
      this.#asked = true;
      if (first || JSON.stringify(this.#set) !== before) onSchemas();
    }
  }
}
