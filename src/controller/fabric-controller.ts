import { parseFabric } from "../api/fabric.ts";
import { messageOf } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import type { KubeClient } from "../sources/cluster/client.ts";
import { within } from "./running.ts";
import { FabricRuntime } from "./fabric-runtime.ts";
import type { FabricReport, RuntimeOptions } from "./fabric-runtime.ts";
import { FabricWatch } from "./fabric-watch.ts";

/** Events are best effort: an API server that is away must not hold up the end (ms). */
const FLUSH_MS = 1_000;

export interface ControllerOptions extends Omit<RuntimeOptions, "api"> {
  readonly client: Pick<KubeClient, "request" | "stream">;
  /** Empty = all. */
  readonly namespaces: readonly string[];
}

interface Entry {
  readonly runtime: FabricRuntime;
  readonly abort: AbortController;
  readonly done: Promise<void>;
}

/** Runs one {@link FabricRuntime} for each Fabric object there is. */
export class FabricController {
  readonly #options: ControllerOptions;
  readonly #entries = new Map<string, Entry>();
  /** Runtimes that were told to stop and have not yet. */
  readonly #ending = new Map<string, Promise<void>>();
  #listed = false;

  constructor(options: ControllerOptions) {
    this.#options = options;
  }

  /** Whether all Fabrics were listed once since `run` began. */
  get listed(): boolean {
    return this.#listed;
  }

  /** One for each Fabric that is worked on. */
  reports(): FabricReport[] {
    return [...this.#entries.values()].map(({ runtime }) => runtime.report);
  }

  /** Whether the Fabric with this uid is worked on here. */
  works(uid: string): boolean {
    return this.#byUid(uid) !== undefined;
  }

  /** Somebody pushed: makes the next poll come now, where the Fabric is worked on here. */
  hint(uid: string): void {
    this.#byUid(uid)?.hint();
  }

  /** uids of the Fabrics that are worked on here and take webhooks. */
  webhookFabrics(): string[] {
    return [...this.#entries.values()].flatMap(({ runtime }) =>
      "problem" in runtime.object || runtime.object.spec.webhook === undefined ? [] : runtime.uid,
    );
  }

  /** Until `leading` aborts. When it resolves nothing runs any more, and what could be written is written. */
  async run(leading: AbortSignal): Promise<void> {
    const { client, namespaces, log, heartbeats, events } = this.#options;
    const watch = new FabricWatch({
      client,
      namespaces,
      log,
      heartbeats,
      onObject: (key, object) => {
        if (leading.aborted) return;
        if (object === null) this.#gone(key);
        else this.#seen(key, object, leading);
      },
      onListed: () => {
        this.#listed = true;
      },
    });
    await watch.run(leading);
    await Promise.all([...this.#entries.values()].map(({ done }) => done));
    await Promise.all(this.#ending.values());
    this.#entries.clear();
    this.#listed = false;
    await within(FLUSH_MS, events.flush());
  }

  #byUid(uid: string): FabricRuntime | undefined {
    return [...this.#entries.values()].find(({ runtime }) => runtime.uid === uid)?.runtime;
  }

  #seen(key: string, object: JsonObject, leading: AbortSignal): void {
    let fabric;
    try {
      fabric = parseFabric(object);
    } catch (error) {
      this.#options.log.error({ fabric: key, error: messageOf(error) }, "an object is not a Fabric");
      return;
    }
    const entry = this.#entries.get(key);
    if (entry !== undefined && entry.runtime.uid === fabric.metadata.uid) return entry.runtime.observe(fabric);
    // Deleted and made again between two lists: the old one ends before the new one begins.
    if (entry !== undefined) this.#gone(key);
    const runtime = new FabricRuntime(fabric, { ...this.#options, api: this.#options.client });
    const abort = new AbortController();
    const signal = AbortSignal.any([leading, abort.signal]);
    const before = this.#ending.get(key) ?? Promise.resolve();
    const done = before
      .then(() => runtime.run(signal))
      .catch((error: unknown) => {
        this.#options.log.error({ fabric: key, error: messageOf(error) }, "a fabric's loop ended");
      });
    this.#entries.set(key, { runtime, abort, done });
  }

  #gone(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    entry.abort.abort();
    const ending: Promise<void> = entry.done
      .then(() => entry.runtime.detach())
      .finally(() => {
        if (this.#ending.get(key) === ending) this.#ending.delete(key);
      });
    this.#ending.set(key, ending);
  }
}
