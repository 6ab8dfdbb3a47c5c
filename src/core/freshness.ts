import type { StreamStatus } from "./streams.ts";

/** As of when the table is known to hold all that is selected of a kind. */
export interface KindFreshness {
  readonly apiGroup: string;
  readonly kind: string;
  /** ms; null while a part of it was never complete. */
  readonly completeAt: number | null;
}

/**
 * One for each kind that is served, in the order of group and kind. A kind may have a stream for each of some namespaces: it is as old as the
 * oldest of them.
 */
export function freshnessOf(
  streams: readonly Pick<StreamStatus, "apiGroup" | "kind" | "state" | "completeAt">[],
): KindFreshness[] {
  const kinds = new Map<string, KindFreshness>();
  for (const { apiGroup, kind, state, completeAt } of streams) {
    // `*`: discovery itself, while it fails.
    if (state === "gone" || kind === "*") continue;
    const key = `${apiGroup}/${kind}`;
    const known = kinds.get(key);
    kinds.set(key, {
      apiGroup,
      kind,
      completeAt: known === undefined ? completeAt : older(known.completeAt, completeAt),
    });
  }
  return [...kinds].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, freshness]) => freshness);
}

function older(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : Math.min(a, b);
}
