import { policyOf } from "../../core/errors.ts";
import { pause } from "../../core/pause.ts";
import type { Fence, ObservationStore } from "../../core/ports.ts";
import { fullJitterDelay } from "../../core/retry.ts";
import type { Lane } from "../../core/streams.ts";
import type { StreamSpec } from "./selection.ts";
import { sweep } from "./sweep.ts";

const BACKOFF = { baseMs: 400, capMs: 15_000 };

export interface RetireOptions {
  readonly fabricId: string;
  readonly store: Pick<ObservationStore, "actualKeys" | "dropCursor">;
  readonly fence: () => Fence;
  readonly signal: AbortSignal;
  readonly random: () => number;
  readonly now: () => number;
}

/**
 * Ends what one stream brought, for a reason that is told in history, then forgets the stream. Its cursor is set back first: should this be
 * interrupted, the scope is found again by its cursor, and nothing resumes from it.
 *
 * @param keepNamespace whether another stream of the kind looks after the objects of this namespace.
 * @throws the store's error when its policy is `fatal`, the signal's reason when it aborts.
 */
export async function retire(
  spec: Pick<StreamSpec, "scope" | "group" | "kind" | "namespace"> & { readonly reason: string },
  keepNamespace: (namespace: string) => boolean,
  lane: Lane,
  options: RetireOptions,
): Promise<void> {
  const { fabricId, store, fence, signal, random, now } = options;
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    try {
      lane.advance({ source: "cluster", scope: spec.scope, kind: spec.kind, position: "0", completeAt: null });
      const why = { resourceVersion: "", reason: spec.reason };
      await sweep({ fabricId, spec, store }, lane, keepNamespace, why, now);
      await lane.drained();
      await store.dropCursor(fence(), "cluster", spec.scope);
      return;
    } catch (error) {
      if (policyOf(error) === "fatal") throw error;
      await pause(fullJitterDelay(attempt, BACKOFF, random), signal);
    }
  }
}
