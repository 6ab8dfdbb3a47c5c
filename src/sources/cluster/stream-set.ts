import { messageOf } from "../../core/errors.ts";
import type { Cursor, Fence, ObservationStore } from "../../core/ports.ts";
import type { Lane, StreamStatus } from "../../core/streams.ts";
import type { Heartbeats, Logger, Telemetry } from "../../core/telemetry.ts";
import type { VolatileMatcher } from "../../core/volatile.ts";
import type { KubeClient } from "./client.ts";
import type { Discovery } from "./discovery.ts";
import { believe } from "./late-discovery.ts";
import { Reflector } from "./reflector.ts";
import { CRD_DELETED, leftovers, NOT_SELECTED, Retirements, unserved } from "./retirements.ts";
import { asksFor, selectStreams } from "./selection.ts";
import type { ResourceSelection, StreamSpec, Unmet } from "./selection.ts";
import { wasSetBack } from "./storage-probe.ts";
import { goneStatus, unmetStatus } from "./stream-status.ts";
import type { StreamTiming } from "./timing.ts";

export interface StreamSetOptions {
  readonly fabric: { readonly id: string; readonly namespace: string; readonly name: string };
  readonly client: Pick<KubeClient, "fetch" | "stream">;
  readonly pump: { lane(name: string, saved?: Cursor | null): Lane };
  readonly store: Pick<ObservationStore, "readCursors" | "actualKeys" | "dropCursor">;
  readonly fence: () => Fence;
  readonly telemetry: Pick<Telemetry, "streamEvents" | "streamStarted">;
  readonly heartbeats: Heartbeats;
  readonly logger: Logger;
  readonly timing: StreamTiming;
  readonly signal: AbortSignal;
  readonly volatile: VolatileMatcher;
  readonly random: () => number;
  readonly now: () => number;
  /** `statuses()` would say something new. */
  readonly onChange: () => void;
  /** A stream was told that its kind is not there: discovery should be read. */
  readonly onGone: () => void;
}

/** A stream that runs, and what ends it. */
export interface RunningStream {
  readonly spec: StreamSpec;
  readonly reflector: Reflector;
  readonly lane: Lane;
  readonly abort: AbortController;
  readonly ended: Promise<void>;
}

/** The streams of one Fabric: those that run, those whose kind is gone, and what is selected and cannot be watched. */
export class StreamSet {
  readonly #options: StreamSetOptions;
  readonly #running = new Map<string, RunningStream>();
  /** Kinds that were watched and are not served now, by scope. Their rows stay. */
  readonly #gone = new Map<string, StreamSpec>();
  readonly #retirements: Retirements;
  /** CRDs of ours (`plural.group`) whose deletion was seen. */
  readonly #deletedCrds = new Set<string>();
  #unmet: readonly Unmet[] = [];
  #selections: readonly ResourceSelection[] = [];

  constructor(options: StreamSetOptions) {
    this.#options = options;
    this.#retirements = new Retirements({ ...options, fabricId: options.fabric.id });
  }

  get running(): readonly RunningStream[] {
    return [...this.#running.values()];
  }
  get unmet(): readonly Unmet[] {
    return this.#unmet;
  }

  /** One entry for each stream, and for each selected kind that cannot be watched. */
  statuses(): StreamStatus[] {
    const gone = [...this.#gone.values()];
    const unmet = this.#unmet.filter((one) => !gone.some((spec) => spec.group === one.group && spec.kind === one.kind));
    return [
      ...this.running.map(({ reflector }) => reflector.status()),
      ...gone.map(goneStatus),
      ...unmet.map(unmetStatus),
    ];
  }

  /** What can be believed of a reading of discovery, after `before`; the same object when nothing is in doubt. `first` as for `arrange`. */
  async believe(
    selections: readonly ResourceSelection[],
    discovery: Discovery,
    before: Discovery | null,
    first: boolean,
  ): Promise<Discovery> {
    this.#selections = selections;
    const earlier = first ? unserved((await this.cursors()).values(), discovery) : [];
    // Whose CRD was seen to go is gone, also where nobody may ask for it.
    const watched = [...this.running.map(({ spec }) => spec), ...earlier].filter(
      (spec) => this.#asked(spec) && !this.#deletedCrds.has(crdOf(spec)),
    );
    return believe(discovery, before, watched, this.#options);
  }

  /** Makes the set of streams what the selection means on what is served. `first`: what an earlier process watched finds its place. */
  async arrange(selections: readonly ResourceSelection[], discovery: Discovery, first: boolean): Promise<void> {
    this.#selections = selections;
    const { streams, unmet } = selectStreams(selections, discovery);
    const wanted = new Map(streams.map((spec) => [spec.scope, spec]));
    const arriving = streams.filter(({ scope }) => !this.#running.has(scope));
    const stored = first || arriving.length > 0 ? await this.cursors() : new Map<string, Cursor>();
    this.#unmet = unmet;
    for (const { spec } of [...this.#running.values()])
      if (!wanted.has(spec.scope)) this.#leave(spec, discovery, streams);
    for (const spec of this.#gone.values()) if (!this.#asked(spec)) this.#retire(spec, NOT_SELECTED, streams);
    if (first) {
      for (const spec of leftovers(stored.keys(), wanted, discovery)) this.#retire(spec, NOT_SELECTED, streams);
      for (const spec of unserved(stored.values(), discovery)) if (this.#asked(spec)) this.#gone.set(spec.scope, spec);
    }
    const { client, logger, signal } = this.#options;
    const setBack = first && (await wasSetBack(arriving, stored, { client, logger, signal }));
    for (const spec of arriving) {
      const continues = !setBack && !this.#gone.has(spec.scope);
      this.#begin(spec, continues ? (stored.get(spec.scope) ?? null) : null);
    }
    this.#options.onChange();
  }

  /** A CRD (`plural.group`) is there, or its deletion was seen: then, and only then, the rows of its kind are known to be gone with it. */
  crdSeen(name: string, deleted: boolean): void {
    if (!deleted) return void this.#deletedCrds.delete(name);
    const gone = [...this.#gone.values()].filter((spec) => crdOf(spec) === name);
    if (gone.length > 0 || this.running.some(({ spec }) => crdOf(spec) === name)) this.#deletedCrds.add(name);
    for (const spec of gone) this.#retire(spec, CRD_DELETED, []);
  }

  /** What the database holds of the streams, by scope. */
  async cursors(): Promise<Map<string, Cursor>> {
    const cursors = await this.#options.store.readCursors(this.#options.fabric.id);
    return new Map(cursors.filter(({ source }) => source === "cluster").map((cursor) => [cursor.scope, cursor]));
  }

  /** Resolves when what is being retired now has ended. */
  async retired(): Promise<void> {
    await this.#retirements.settled();
  }

  /** Resolves when every stream has ended; their signal is aborted before. */
  async close(): Promise<void> {
    const streams = this.running;
    for (const { lane } of streams) lane.close();
    await Promise.all(streams.map(({ ended }) => ended));
    this.#running.clear();
  }

  #begin(spec: StreamSpec, cursor: Cursor | null): void {
    const { client, pump, store, telemetry, heartbeats, logger, fabric, timing, volatile, random, now } = this.#options;
    const abort = new AbortController();
    const lane = pump.lane(spec.scope, cursor);
    this.#gone.delete(spec.scope);
    const reflector = new Reflector({
      fabricId: fabric.id,
      labels: { namespace: fabric.namespace, fabric: fabric.name },
      spec,
      cursor,
      client,
      lane,
      store,
      telemetry,
      heartbeats,
      logger: logger.child({ scope: spec.scope }),
      timing,
      signal: AbortSignal.any([this.#options.signal, abort.signal]),
      volatile,
      onChange: () => {
        if (reflector.status().state === "gone") this.#options.onGone();
        this.#options.onChange();
      },
      random,
      now,
    });
    const ended = this.#retirements
      .of(spec)
      .then(() => reflector.run())
      .catch((error: unknown) =>
        logger.error({ scope: spec.scope, error: messageOf(error) }, "stream ended by an error"),
      )
      .finally(() => lane.close());
    this.#running.set(spec.scope, { spec, reflector, lane, abort, ended });
    logger.info({ scope: spec.scope, resumes: cursor !== null }, "stream starts");
  }

  /** A stream that the selection and the server no longer give: its kind is gone, or not selected (so) any more. */
  #leave(spec: StreamSpec, discovery: Discovery, streams: readonly StreamSpec[]): void {
    const asked = this.#asked(spec);
    const served = discovery.kinds.some((kind) => kind.group === spec.group && kind.plural === spec.plural);
    // A group that cannot be read says nothing about its kinds: the stream goes on, or fails by itself.
    if (asked && !served && discovery.broken.some(({ group }) => group === spec.group)) return;
    const running = this.#running.get(spec.scope);
    this.#running.delete(spec.scope);
    running?.abort.abort();
    running?.lane.close();
    if (asked && !served && this.#deletedCrds.has(crdOf(spec))) {
      this.#retire(spec, CRD_DELETED, streams, running?.ended);
    } else if (asked && !served) {
      this.#gone.set(spec.scope, spec);
      this.#options.logger.warn({ scope: spec.scope }, "kind is no longer served; its rows are kept");
    } else {
      this.#retire(spec, NOT_SELECTED, streams, running?.ended);
    }
  }

  #retire(
    spec: StreamSpec,
    reason: typeof NOT_SELECTED | typeof CRD_DELETED,
    streams: readonly StreamSpec[],
    after?: Promise<void>,
  ): void {
    this.#gone.delete(spec.scope);
    this.#retirements.begin(spec, reason, streams, after);
  }

  #asked(spec: Pick<StreamSpec, "group" | "kind">): boolean {
    return this.#selections.some((selection) => asksFor(selection, spec.group, spec.kind));
  }
}

function crdOf({ plural, group }: Pick<StreamSpec, "plural" | "group">): string {
  return `${plural}.${group}`;
}
