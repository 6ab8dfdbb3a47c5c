import { messageOf } from "../../core/errors.ts";
import { pause } from "../../core/pause.ts";
import { fullJitterDelay } from "../../core/retry.ts";
import type { Logger } from "../../core/telemetry.ts";
import type { KubeClient } from "./client.ts";
import { watchCrds } from "./crd-watch.ts";
import { DiscoveryReader } from "./discovery.ts";
import type { Discovery } from "./discovery.ts";
import type { StreamTiming } from "./timing.ts";

const BACKOFF = { baseMs: 400, capMs: 30_000 };

export interface KindWatchOptions {
  readonly client: Pick<KubeClient, "fetch" | "stream">;
  readonly timing: StreamTiming;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** A CRD (`plural.group`) is there, or its deletion was seen. */
  readonly onCrd: (name: string, deleted: boolean) => void;
  /** A new reading; awaited before the next one. */
  readonly onDiscovery: (discovery: Discovery) => Promise<void>;
  /** Discovery cannot be read; what was read before still holds. */
  readonly onError: (error: unknown) => void;
  readonly random: () => number;
}

/**
 * Keeps what the server serves known: read at start, after each change of a CRD (a few times, because the server's discovery follows
 * it late), and on a timer for what comes without a CRD.
 */
export class KindWatch {
  readonly #options: KindWatchOptions;
  readonly #reader: DiscoveryReader;
  /** Times (ms) at which discovery is to be read, ascending. */
  #due: number[] = [];
  #wake = new AbortController();
  #crdsWatched = false;

  constructor(options: KindWatchOptions) {
    this.#options = options;
    this.#reader = new DiscoveryReader(options.client);
  }

  /** Whether changes of CRDs are seen as they happen; false: by the timer, every `discoveryAloneMs`. */
  get live(): boolean {
    return this.#crdsWatched;
  }

  /** Something may have changed: read discovery soon, and again for a while. A stream of changes does not put the first off. */
  kick(): void {
    const now = Date.now();
    const times = this.#options.timing.discoveryAfterChangeMs.map((delay) => now + delay);
    const first = Math.min(this.#due[0] ?? Infinity, times[0] ?? now);
    this.#due = [first, ...times.slice(1)];
    this.#wake.abort();
  }

  /** Runs until the signal aborts; never rejects. */
  async run(): Promise<void> {
    const { client, timing, logger, signal, random, onCrd } = this.#options;
    const onWatching = (watching: boolean): void => {
      if (this.#crdsWatched === watching) return;
      this.#crdsWatched = watching;
      this.#wake.abort();
    };
    const onChange = (name: string, deleted: boolean): void => {
      onCrd(name, deleted);
      this.kick();
    };
    const crds = watchCrds({ client, timing, logger, signal, random, onChange, onWatching });
    await Promise.all([crds, this.#read()]);
  }

  async #read(): Promise<void> {
    const { signal, timing, random } = this.#options;
    let attempt = 0;
    while (!signal.aborted) {
      attempt = (await this.#once()) ? 0 : attempt + 1;
      const lastRead = Date.now();
      if (attempt > 0) {
        await pause(fullJitterDelay(attempt, BACKOFF, random), signal);
        continue;
      }
      for (;;) {
        const idle = lastRead + (this.#crdsWatched ? timing.discoveryMs : timing.discoveryAloneMs);
        const delay = Math.min(idle, this.#due[0] ?? Infinity) - Date.now();
        if (delay <= 0 || signal.aborted) break;
        this.#wake = new AbortController();
        await pause(delay, AbortSignal.any([signal, this.#wake.signal]));
      }
      const now = Date.now();
      this.#due = this.#due.filter((time) => time > now);
    }
  }

  async #once(): Promise<boolean> {
    const { signal, onDiscovery, onError, logger } = this.#options;
    try {
      const discovery = await this.#reader.read(signal);
      await onDiscovery(discovery);
      return true;
    } catch (error) {
      if (signal.aborted) return true;
      logger.warn({ error: messageOf(error) }, "discovery cannot be read");
      onError(error);
      return false;
    }
  }
}
