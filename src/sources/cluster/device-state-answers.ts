import type { DeviceStateFacts, DeviceStateStore, DeviceStateVersion } from "../../core/device-state.ts";
import { deviceStateStatus } from "../../core/device-state.ts";
import { messageOf } from "../../core/errors.ts";
import { pause } from "../../core/pause.ts";
import type { Logger } from "../../core/telemetry.ts";
import { KubeApiError } from "./api-error.ts";
import type { KubeClient } from "./client.ts";
import { yamlSafeJson } from "./drift/apply-body.ts";

/** Rows come in batches, and one look serves all that came meanwhile (ms). */
const GATHER_MS = 500;
/** After a failure (ms). */
const AGAIN_MS = 5_000;
/** An account that may not write status is asked again when somebody may have granted it (ms). */
const FORBIDDEN_AGAIN_MS = 10 * 60_000;
/** DeviceStates that are looked up at once. */
const PAGE = 100;
const FIELD_MANAGER = "fabric-sync";

export interface DeviceStateAnswersOptions {
  readonly fabricId: string;
  /** The cluster that the DeviceStates were read from. */
  readonly client: Pick<KubeClient, "request">;
  readonly store: DeviceStateStore;
  readonly logger: Logger;
}

/**
 * Tells DeviceStates in their own status what was taken in of them, and what was refused: the only thing that is written to a mirrored cluster, and
 * only to objects of our own kind. A status is written when content was taken in that it does not answer yet; applied again after a restart it is the
 * same, which the API server answers without a write. Status is outside of a DeviceState's content (`core/volatile.ts`), so an answer is no change.
 */
export class DeviceStateAnswers {
  readonly #options: DeviceStateAnswersOptions;
  readonly #ended = new AbortController();
  /** uid → the content that was answered last. */
  readonly #answered = new Map<string, string>();
  #wakeUp: (() => void) | null = null;
  #news = true;
  #loop: Promise<void> = Promise.resolve();

  constructor(options: DeviceStateAnswersOptions) {
    this.#options = options;
  }

  start(): void {
    this.#loop = this.#run(this.#ended.signal);
  }

  /** Rows were written: some may be of DeviceStates. */
  kick(): void {
    this.#news = true;
    this.#wakeUp?.();
  }

  /** Tells what is there now, once; what fails is told, and left to {@link start}. */
  async flush(): Promise<void> {
    await this.#answer(this.#ended.signal).catch((error: unknown) => this.#failed(error, 0));
  }

  async stop(): Promise<void> {
    this.#ended.abort();
    this.#wakeUp?.();
    await this.#loop;
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (!this.#news) await new Promise<void>((resolve) => (this.#wakeUp = resolve));
      this.#wakeUp = null;
      await pause(GATHER_MS, signal);
      if (signal.aborted) return;
      this.#news = false;
      try {
        await this.#answer(signal);
      } catch (error) {
        if (signal.aborted) return;
        const againInMs = error instanceof KubeApiError && error.status === 403 ? FORBIDDEN_AGAIN_MS : AGAIN_MS;
        this.#failed(error, againInMs);
        this.#news = true;
        await pause(againInMs, signal);
      }
    }
  }

  #failed(error: unknown, againInMs: number): void {
    this.#options.logger.warn({ error: messageOf(error), againInMs }, "DeviceStates were not told what was taken in");
  }

  async #answer(signal: AbortSignal): Promise<void> {
    const { store, fabricId } = this.#options;
    const there = await store.deviceStates(fabricId);
    const uids = new Set(there.map(({ uid }) => uid));
    for (const uid of this.#answered.keys()) if (!uids.has(uid)) this.#answered.delete(uid);
    const due = there.filter(({ uid, content }) => this.#answered.get(uid) !== content);
    for (let from = 0; from < due.length && !signal.aborted; from += PAGE) {
      for (const facts of await store.deviceStateFacts(fabricId, due.slice(from, from + PAGE))) {
        if (await this.#write(facts, signal)) this.#answered.set(facts.uid, facts.content);
      }
    }
  }

  /** False when the object is gone, or another one has its name: the watch tells. */
  async #write(facts: DeviceStateFacts, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#options.client.request("PATCH", statusPath(facts), {
        query: { fieldManager: FIELD_MANAGER, force: true },
        contentType: "application/apply-patch+yaml",
        body: yamlSafeJson({
          apiVersion: "fabricsync.dev/v1alpha1",
          kind: "DeviceState",
          metadata: { name: facts.name, namespace: facts.namespace, uid: facts.uid },
          status: deviceStateStatus(facts),
        }),
        signal,
      });
      return true;
    } catch (error) {
      if (error instanceof KubeApiError && (error.status === 404 || error.status === 409)) return false;
      throw error;
    }
  }
}

function statusPath({ namespace, name }: DeviceStateVersion): string {
  const folder = `/apis/fabricsync.dev/v1alpha1/namespaces/${encodeURIComponent(namespace)}/devicestates`;
  return `${folder}/${encodeURIComponent(name)}/status`;
}
