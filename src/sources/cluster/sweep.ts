import type { ActualKeysQuery, ObservationStore } from "../../core/ports.ts";
import type { Lane } from "../../core/streams.ts";
import type { StreamSpec } from "./selection.ts";

/** Keys read from the table at once: a few dozen KiB, a few ms of an index scan. */
const CHUNK = 1_000;

/** What the sweep and the mark need to know of where they work. */
export interface SweepScope {
  readonly fabricId: string;
  readonly spec: Pick<StreamSpec, "group" | "kind" | "namespace">;
  readonly store: Pick<ObservationStore, "actualKeys">;
}

/** The keys of one complete list; the objects themselves are not kept. */
export class SeenKeys {
  readonly #keys = new Set<string>();
  #nameless = 0;

  /** Objects whose name could not be read. */
  get nameless(): number {
    return this.#nameless;
  }

  add(namespace: string, name: string): void {
    if (name === "") this.#nameless += 1;
    this.#keys.add(`${namespace}/${name}`);
  }
  has(namespace: string, name: string): boolean {
    return this.#keys.has(`${namespace}/${name}`);
  }
}

/** Whether the table holds anything in scope: if not, a list has nothing to be compared with and no key is remembered. */
export async function holdsAny(scope: SweepScope): Promise<boolean> {
  const keys = await scope.store.actualKeys({ ...queryOf(scope), after: null, limit: 1 });
  return keys.length > 0;
}

/**
 * Offers the end of every object in scope that the table holds and `keep` does not: what a complete list, taken at `resourceVersion`,
 * did not hold, or what is no longer selected ('' then). The lane must be drained before, so that the table knows everything that
 * was offered. Gives how many were offered.
 */
export async function sweep(
  scope: SweepScope,
  lane: Pick<Lane, "offer">,
  keep: (namespace: string, name: string) => boolean,
  why: { readonly resourceVersion: string; readonly reason: string },
  observedAt: () => number,
): Promise<number> {
  const { fabricId, spec, store } = scope;
  let offered = 0;
  let after: ActualKeysQuery["after"] = null;
  for (;;) {
    const keys = await store.actualKeys({ ...queryOf(scope), after, limit: CHUNK });
    for (const { namespace, name, uid } of keys) {
      if (keep(namespace, name)) continue;
      offered += 1;
      await lane.offer({
        side: "actual",
        type: "delete",
        key: { fabricId, apiGroup: spec.group, kind: spec.kind, namespace, name },
        writePath: "list",
        observedAt: observedAt(),
        uid,
        ...why,
      });
    }
    const last = keys.at(-1);
    if (last === undefined || keys.length < CHUNK) return offered;
    after = { namespace: last.namespace, name: last.name };
  }
}

function queryOf({
  fabricId,
  spec,
}: SweepScope): Pick<ActualKeysQuery, "fabricId" | "apiGroup" | "kind" | "namespace"> {
  return { fabricId, apiGroup: spec.group, kind: spec.kind, namespace: spec.namespace };
}
