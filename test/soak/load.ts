import { pause } from "../../src/core/pause.ts";
import { KubeApiError } from "../../src/sources/cluster/api-error.ts";
import type { KubeClient } from "../../src/sources/cluster/client.ts";
import { waitFor } from "../support/wait.ts";
import { thing } from "./kinds.ts";

/** How often a burst is sent (ms): fine enough to look steady, coarse enough to cost nothing. */
const TICK_MS = 50;
/** Requests under way at most: a server that is slower than the rate is not asked for more. */
const AT_ONCE = 96;
/** Objects of each kind that come, change and go. */
const SLOTS = 40;

/** What a load came to. */
export interface LoadFigures {
  readonly changes: number;
  readonly perSecond: number;
  /** Share of the time in which {@link AT_ONCE} requests were under way: the servers took no more. */
  readonly heldShare: number;
  /** CPU time of this process in that of a core; well below 1 it was not the load that had no time. */
  readonly cores: number;
}

/** Makes, changes and deletes objects of many kinds at a steady rate until it is stopped. */
export class Load {
  readonly #clients: readonly Pick<KubeClient, "request">[];
  readonly #paths: readonly string[];
  readonly #perSecond: number;
  readonly #stop = new AbortController();
  readonly #there: Set<string>;
  readonly #busy = new Set<string>();
  readonly #pending = new Set<Promise<void>>();
  readonly #random: () => number;
  #running: Promise<void> | null = null;
  #asked = 0;
  #ticks = 0;
  #heldTicks = 0;
  #begun = { at: 0, cpu: process.cpuUsage() };
  /** Changes that the API server confirmed. */
  changes = 0;
  /** What the API server refused; nothing should be. */
  readonly errors: string[] = [];
  /** Requests to which no answer came in time: the machine is busy, or the API server away. */
  unanswered = 0;

  /** `clients` are used in turns; `paths`: of namespaced resources; `there`: what exists, by path, handed from one load to the next. */
  constructor(
    clients: readonly Pick<KubeClient, "request">[],
    paths: readonly string[],
    there: Set<string>,
    perSecond: number,
    seed: number,
  ) {
    this.#clients = clients;
    this.#there = there;
    this.#paths = paths;
    this.#perSecond = perSecond;
    this.#random = mulberry32(seed);
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /**
   * Resolves when so many changes were made.
   * @throws Error when that takes too long; the load has ended then.
   */
  async reached(changes: number, timeoutMs: number): Promise<void> {
    try {
      await waitFor(`${changes} changes`, () => this.changes >= changes, { timeoutMs });
    } catch (error) {
      await this.stop();
      throw new Error(
        `${this.changes} changes, ${this.unanswered} not answered, ${this.errors.length} refused: ${this.errors[0] ?? ""}`,
        {
          cause: error,
        },
      );
    }
  }

  /** As of now. */
  figures(): LoadFigures {
    const ms = performance.now() - this.#begun.at;
    const { user, system } = process.cpuUsage(this.#begun.cpu);
    return {
      changes: this.changes,
      perSecond: Math.round((this.changes * 1_000) / ms),
      heldShare: rounded(this.#heldTicks / Math.max(1, this.#ticks)),
      cores: rounded((user + system) / 1_000 / ms),
    };
  }

  /** Resolves when the last request is answered. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await Promise.all(this.#pending);
  }

  async #run(): Promise<void> {
    // By the clock: a tick that comes late brings what was due meanwhile.
    const begun = performance.now();
    this.#begun = { at: begun, cpu: process.cpuUsage() };
    let asked = 0;
    while (!this.#stop.signal.aborted) {
      const due = ((performance.now() - begun) * this.#perSecond) / 1_000;
      // What a server could not take in a second is not asked of it later.
      asked = Math.max(asked, due - this.#perSecond);
      for (; asked < due && this.#pending.size < AT_ONCE; asked += 1) this.#change();
      this.#ticks += 1;
      if (this.#pending.size >= AT_ONCE) this.#heldTicks += 1;
      await pause(TICK_MS, this.#stop.signal);
    }
  }

  #change(): void {
    const { kind, name, path, key } = this.#idle();
    this.#busy.add(key);
    const done = this.#request(kind, path, name, key)
      .then(() => void (this.changes += 1))
      .catch(async (error: unknown) => {
        if (error instanceof KubeApiError) return void this.errors.push(error.code);
        this.unanswered += 1;
        await this.#lookAt(path, name, key);
      })
      .finally(() => {
        this.#busy.delete(key);
        this.#pending.delete(done);
      });
    this.#pending.add(done);
  }

  /** An object of which no change is under way: there are many more of them than changes at once. */
  #idle(): { readonly kind: number; readonly name: string; readonly path: string; readonly key: string } {
    for (;;) {
      const kind = Math.floor(this.#random() * this.#paths.length);
      const name = `thing-${Math.floor(this.#random() * SLOTS)}`;
      const path = this.#paths[kind] ?? "";
      const key = `${path}/${name}`;
      if (!this.#busy.has(key)) return { kind, name, path, key };
    }
  }

  /** Whether it was done all the same. */
  async #lookAt(path: string, name: string, key: string): Promise<void> {
    try {
      await this.#client().request("GET", `${path}/${name}`);
      this.#there.add(key);
    } catch (error) {
      if (!(error instanceof KubeApiError)) this.unanswered += 1;
      else if (error.status === 404) this.#there.delete(key);
      else this.errors.push(error.code);
    }
  }

  #client(): Pick<KubeClient, "request"> {
    const client = this.#clients[this.#asked++ % this.#clients.length];
    if (client === undefined) throw new Error("a load needs a client");
    return client;
  }

  async #request(kind: number, path: string, name: string, key: string): Promise<void> {
    const client = this.#client();
    if (!this.#there.has(key)) {
      await client.request("POST", path, { body: thing(kind, name, this.changes) });
      this.#there.add(key);
    } else if (this.#random() < 0.2) {
      await client.request("DELETE", `${path}/${name}`);
      this.#there.delete(key);
    } else {
      await client.request("PATCH", `${path}/${name}`, {
        body: { spec: { version: this.changes } },
        headers: { "content-type": "application/merge-patch+json" },
      });
    }
  }
}

function rounded(share: number): number {
  return Math.round(share * 100) / 100;
}

/** A small generator with a seed, so that a run can be repeated. */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
