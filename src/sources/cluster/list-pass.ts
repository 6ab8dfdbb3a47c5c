import { abortable } from "../../core/pause.ts";
import type { JsonValue } from "../../core/json.ts";
import type { Lane } from "../../core/streams.ts";
import type { Logger } from "../../core/telemetry.ts";
import type { Intake } from "./intake.ts";
import type { StreamSpec } from "./selection.ts";
import { holdsAny, SeenKeys, sweep } from "./sweep.ts";
import type { SweepScope } from "./sweep.ts";

export interface ListPassOptions extends SweepScope {
  readonly spec: StreamSpec;
  readonly lane: Lane;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly now: () => number;
}

/** One list, from its request until what it did not hold is ended and its position is on its way into the table. */
export class ListPass {
  readonly #options: ListPassOptions;
  readonly #intake: Intake;
  /** null: the table held nothing in scope, there is nothing to compare with. */
  readonly #keys: SeenKeys | null;
  /** As of when the list is complete: it may show the cluster as it was when it was asked for. */
  readonly #begunAt: number;

  /** The lane must be drained before: what the table holds must be settled before a list is compared with it. */
  static async begin(options: ListPassOptions, intake: Intake): Promise<ListPass> {
    return new ListPass(options, intake, (await holdsAny(options)) ? new SeenKeys() : null);
  }

  private constructor(options: ListPassOptions, intake: Intake, keys: SeenKeys | null) {
    this.#options = options;
    this.#intake = intake;
    this.#keys = keys;
    this.#begunAt = options.now();
  }

  /** As {@link Lane.offer}. */
  take(object: JsonValue): Promise<void> {
    return this.#intake.listed(object, this.#keys);
  }

  /** Ends what the list did not hold, then saves the list's position. */
  async complete(position: string): Promise<void> {
    const { lane, spec } = this.#options;
    if (this.#keys !== null) await this.#sweep(this.#keys, position);
    lane.advance({ source: "cluster", scope: spec.scope, kind: spec.kind, position, completeAt: this.#begunAt });
  }

  async #sweep(keys: SeenKeys, position: string): Promise<void> {
    const { lane, logger, spec, now, signal } = this.#options;
    if (keys.nameless > 0) {
      // Absence cannot be concluded from a list in which something has no name.
      logger.warn({ scope: spec.scope, nameless: keys.nameless }, "objects without a name: the list was not swept");
      return;
    }
    await abortable(lane.drained(), signal);
    const reason =
      spec.labelSelector === ""
        ? "not in a complete list of the cluster: it was deleted while nobody watched"
        : "not in a complete list of the cluster: deleted while nobody watched, or not selected by its labels";
    const why = { resourceVersion: position, reason };
    const gone = await sweep(this.#options, lane, (namespace, name) => keys.has(namespace, name), why, now);
    if (gone > 0) logger.info({ scope: spec.scope, gone }, "objects were gone when the list was complete");
  }
}
