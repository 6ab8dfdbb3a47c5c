import { parseFabric } from "../api/fabric.ts";
import type { WebhookSpec } from "../api/webhook.ts";
import { messageOf } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import type { KubeClient } from "../sources/cluster/client.ts";
import type { SecretData } from "./secrets.ts";
import { SecretReader } from "./secrets.ts";
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

/** Where a webhook for one Fabric goes. */
export interface WebhookTarget {
  readonly fabricUid: string;
  readonly spec: WebhookSpec;
  /** The Secret as it is now. */
  readonly readSecret: (signal: AbortSignal) => Promise<SecretData>;
  /** Makes the next poll come now. */
  readonly hint: () => void;
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

  /** null when there is no such Fabric here, or it takes no webhooks. */
  webhookTarget(namespace: string, name: string): WebhookTarget | null {
    const runtime = this.#entries.get(`${namespace}/${name}`)?.runtime;
    if (runtime === undefined || "problem" in runtime.object) return null;
    const { webhook, suspend } = runtime.object.spec;
    if (webhook === undefined || suspend) return null;
    const secrets = new SecretReader(this.#options.client, namespace);
    return {
      fabricUid: runtime.uid,
      spec: webhook,
      readSecret: (signal) => secrets.read(webhook.secretRef.name, signal),
      hint: () => runtime.hint(),
    };
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
