import { messageOf } from "../../core/errors.ts";
import type { Cursor } from "../../core/ports.ts";
import type { Lane } from "../../core/streams.ts";
import type { Logger } from "../../core/telemetry.ts";
import type { Discovery } from "./discovery.ts";
import { retire } from "./retire.ts";
import type { RetireOptions } from "./retire.ts";
import { parseScope } from "./scope.ts";
import type { StreamSpec } from "./selection.ts";

export interface RetirementsOptions extends RetireOptions {
  readonly pump: { lane(name: string): Lane };
  readonly logger: Logger;
}

/** Why the rows of a stream end. */
export const NOT_SELECTED = "no longer selected by the Fabric";
export const CRD_DELETED = "its CustomResourceDefinition was deleted";

/** Streams whose rows end without a word of the cluster about each of them; of one resource one after the other. */
export class Retirements {
  readonly #options: RetirementsOptions;
  /** Under way, by `group/plural`. */
  readonly #tasks = new Map<string, Promise<void>>();

  constructor(options: RetirementsOptions) {
    this.#options = options;
  }

  /** `streams` are those that stay: what one of them looks after is kept. `after`: the stream itself has ended. */
  begin(
    spec: StreamSpec,
    reason: typeof NOT_SELECTED | typeof CRD_DELETED,
    streams: readonly StreamSpec[],
    after: Promise<void> = Promise.resolve(),
  ): void {
    const { pump, logger, signal } = this.#options;
    const resource = resourceOf(spec);
    const siblings = streams.filter((other) => resourceOf(other) === resource);
    const keep = (namespace: string): boolean =>
      siblings.some((other) => other.namespace === "" || other.namespace === namespace);
    const lane = pump.lane(`retire ${spec.scope}`);
    logger.info({ scope: spec.scope, reason }, "the rows of a stream end");
    const task = Promise.all([this.of(spec), after])
      .then(() => retire({ ...spec, reason }, keep, lane, this.#options))
      .catch((error: unknown) => {
        if (!signal.aborted)
          logger.error({ scope: spec.scope, error: messageOf(error) }, "stream could not be retired");
      })
      .finally(() => {
        lane.close();
        if (this.#tasks.get(resource) === task) this.#tasks.delete(resource);
      });
    this.#tasks.set(resource, task);
  }

  /** Resolves when nothing of this resource is being retired: a stream of it may begin. */
  of(spec: Pick<StreamSpec, "group" | "plural">): Promise<void> {
    return this.#tasks.get(resourceOf(spec)) ?? Promise.resolve();
  }

  /** Resolves when those that are under way now have ended. */
  async settled(): Promise<void> {
    await Promise.all(this.#tasks.values());
  }
}

/** Streams of an earlier process that this selection does not have, as far as their kind is known. */
export function leftovers(
  scopes: Iterable<string>,
  wanted: ReadonlyMap<string, unknown>,
  discovery: Discovery,
): StreamSpec[] {
  return [...scopes].flatMap((scope): StreamSpec[] => {
    const parsed = wanted.has(scope) ? null : parseScope(scope);
    const served = discovery.kinds.find((one) => one.group === parsed?.group && one.plural === parsed.plural);
    if (parsed === null || served === undefined) return [];
    return [{ ...parsed, scope, kind: served.kind, namespaced: served.namespaced }];
  });
}

/** Streams of an earlier process whose kind is not served now, as far as that is known: nobody knows what became of their objects. */
export function unserved(cursors: Iterable<Cursor>, { kinds, broken }: Discovery): StreamSpec[] {
  return [...cursors].flatMap(({ scope, kind = "" }): StreamSpec[] => {
    const parsed = parseScope(scope);
    if (parsed === null || kind === "" || broken.some(({ group }) => group === parsed.group)) return [];
    const served = kinds.some((one) => one.group === parsed.group && one.plural === parsed.plural);
    return served ? [] : [{ ...parsed, scope, kind, namespaced: true }];
  });
}

function resourceOf(spec: Pick<StreamSpec, "group" | "plural">): string {
  return `${spec.group}/${spec.plural}`;
}
