import { FabricSyncError, messageOf } from "../../core/errors.ts";
import type { ResourceKey } from "../../core/identity.ts";
import { isJsonObject } from "../../core/json.ts";
import type { JsonObject, JsonValue } from "../../core/json.ts";
import { normaliseActual } from "../../core/normalise.ts";
import type { ActualUpsert } from "../../core/observation.ts";
import { pause } from "../../core/pause.ts";
import type { ActualRow, CheckedStore } from "../../core/ports.ts";
import { compareResourceVersions } from "../../core/resource-version.ts";
import { BUILT_IN_VOLATILE } from "../../core/volatile.ts";
import type { VolatileMatcher } from "../../core/volatile.ts";
import { compareWithRow } from "./check-object.ts";
import type { KubeClient } from "./client.ts";
import { DiscoveryReader } from "./discovery.ts";
import { asksFor, selectStreams } from "./selection.ts";
import type { ResourceSelection, StreamSpec } from "./selection.ts";
import { listPages, resourcePath } from "./stream-requests.ts";
import { SeenKeys } from "./sweep.ts";
import { STREAM_TIMING } from "./timing.ts";

export interface CheckOptions {
  readonly fabricId: string;
  readonly client: Pick<KubeClient, "fetch">;
  readonly store: CheckedStore;
  readonly selections: readonly ResourceSelection[];
  /** What a row may be behind in; the built-in list when absent. */
  readonly volatile?: VolatileMatcher;
  /** How long a row may take to become what the cluster showed (ms), before it counts as wrong. */
  readonly settleMs: number;
  readonly signal: AbortSignal;
}

export interface CheckReport {
  /** Kinds and scopes that were compared. */
  readonly streams: number;
  /** Objects that the cluster showed. */
  readonly objects: number;
  /** Rows that are right but for volatile fields, which are taken over once a minute. */
  readonly lagging: number;
  readonly findings: readonly Finding[];
  /** What could not be compared: nothing is known of it. */
  readonly unchecked: readonly { readonly scope: string; readonly reason: string; readonly message: string }[];
}

/** One row that is wrong. */
export interface Finding extends Omit<ResourceKey, "fabricId"> {
  /** `missing`: the table lacks it. `ghost`: the cluster lacks it. `unreadable`: the object cannot be mirrored. */
  readonly problem: "missing" | "ghost" | "differs" | "unreadable";
  /** Of a row that differs. */
  readonly fields: readonly string[];
  /** resourceVersions, '' where it is not there. */
  readonly inCluster: string;
  readonly inTable: string;
}

/** Keys of one walk over the table's rows. */
const CHUNK = 1_000;
/** Between two looks at rows that are not right yet (ms). */
const LOOK_AGAIN_MS = 200;
/** Requests for single objects at a time. */
const LOOKS_AT_ONCE = 8;

/**
 * Compares the table with the cluster: every object that is selected, and every row. Both move while it looks, so what seems wrong is
 * looked at again until it is right, or `settleMs` are over. Reads only.
 * @throws KubeApiError, KubeUnreachable when discovery cannot be read; the store's errors.
 */
export async function checkFabric(options: CheckOptions): Promise<CheckReport> {
  const { client, selections, signal, fabricId, store } = options;
  const discovery = await new DiscoveryReader(client).read(signal);
  const { streams, unmet } = selectStreams(selections, discovery);
  const tally = { objects: 0, lagging: 0 };
  const findings: Finding[] = [];
  const unchecked: CheckReport["unchecked"][number][] = unmet.filter(({ state }) => state !== "gone");
  for (const spec of streams) {
    try {
      findings.push(...(await new StreamCheck(spec, options, tally).run()));
    } catch (error) {
      if (signal.aborted || !(error instanceof FabricSyncError) || !error.code.startsWith("Kube")) throw error;
      unchecked.push({ scope: spec.scope, reason: error.code, message: messageOf(error) });
    }
  }
  // Kinds that are selected and not served (any more) keep their rows; those that nobody selects must have none.
  for (const { apiGroup, kind } of await store.actualKinds(fabricId)) {
    if (selections.some((selection) => asksFor(selection, apiGroup, kind))) continue;
    const scope = { group: apiGroup, kind, namespace: "" };
    for await (const key of tableKeys(scope, options))
      findings.push(finding(scope, key, "ghost", "", key.resourceVersion));
  }
  return { streams: streams.length, ...tally, findings, unchecked };
}

/** What seemed wrong, to be looked at again. */
interface Suspect {
  readonly namespace: string;
  readonly name: string;
  /** The object's resourceVersion at the first look; '' when it was not there. */
  readonly inCluster: string;
}

class StreamCheck {
  readonly #spec: StreamSpec;
  readonly #options: CheckOptions;
  readonly #tally: { objects: number; lagging: number };
  readonly #volatile: VolatileMatcher;

  constructor(spec: StreamSpec, options: CheckOptions, tally: { objects: number; lagging: number }) {
    this.#spec = spec;
    this.#volatile = options.volatile ?? BUILT_IN_VOLATILE;
    this.#options = options;
    this.#tally = tally;
  }

  async run(): Promise<Finding[]> {
    const { client, signal, settleMs } = this.#options;
    const seen = new SeenKeys();
    const suspects: Suspect[] = [];
    for await (const page of listPages(client, this.#spec, STREAM_TIMING, signal)) {
      const rows = await this.#rows(page.items.map(placeOf));
      for (const item of page.items) {
        const place = placeOf(item);
        seen.add(place.namespace, place.name);
        this.#tally.objects += 1;
        const found = this.#judge(place, item, rows.get(`${place.namespace}/${place.name}`));
        if (found === "lagging") this.#tally.lagging += 1;
        else if (found !== null) suspects.push({ ...place, inCluster: found.inCluster });
      }
    }
    for await (const { namespace, name } of tableKeys(this.#spec, this.#options)) {
      if (!seen.has(namespace, name)) suspects.push({ namespace, name, inCluster: "" });
    }
    const deadline = performance.now() + settleMs;
    const findings: Finding[] = [];
    const look = async (): Promise<void> => {
      for (let suspect = suspects.pop(); suspect !== undefined; suspect = suspects.pop()) {
        const found = await this.#lookAgain(suspect, deadline);
        if (found !== null) findings.push(found);
      }
    };
    await Promise.all(Array.from({ length: LOOKS_AT_ONCE }, look));
    return findings;
  }

  /** null when it is right, or has come as far as the object was at the first look and is on its way. */
  async #lookAgain(suspect: Suspect, deadline: number): Promise<Finding | null> {
    const { signal } = this.#options;
    for (;;) {
      signal.throwIfAborted();
      const object = await this.#object(suspect);
      const row = (await this.#rows([suspect])).get(`${suspect.namespace}/${suspect.name}`);
      const found =
        object === null
          ? row === undefined
            ? null
            : finding(this.#spec, suspect, "ghost", "", row.resourceVersion)
          : this.#judge(suspect, object, row);
      if (found === null || found === "lagging") return null;
      if (performance.now() >= deadline) {
        const moved = found.inCluster !== suspect.inCluster && found.inCluster !== "" && suspect.inCluster !== "";
        const reached = (compareResourceVersions(found.inTable, suspect.inCluster) ?? -1) >= 0;
        return moved && reached && found.problem === "differs" ? null : found;
      }
      await pause(LOOK_AGAIN_MS, signal);
    }
  }

  async #object({ namespace, name }: Suspect): Promise<JsonValue | null> {
    const { client, signal } = this.#options;
    const { labelSelector } = this.#spec;
    const scoped = this.#spec.namespaced ? { ...this.#spec, namespace } : this.#spec;
    const query = { fieldSelector: `metadata.name=${name}`, labelSelector: labelSelector || undefined };
    const { body } = await client.fetch("GET", resourcePath(scoped), { query, signal });
    const items = isJsonObject(body) ? body["items"] : null;
    return (Array.isArray(items) ? items[0] : null) ?? null;
  }

  #judge(
    place: { namespace: string; name: string },
    object: JsonValue,
    row: ActualRow | undefined,
  ): Finding | "lagging" | null {
    let seen: ActualUpsert;
    try {
      seen = this.#normalised(object);
    } catch (error) {
      if (!(error instanceof FabricSyncError && error.policy === "dead-letter")) throw error;
      return finding(this.#spec, place, "unreadable", versionOf(object), row?.resourceVersion ?? "");
    }
    if (row === undefined) return finding(this.#spec, place, "missing", seen.resourceVersion, "");
    const hasSpec = isJsonObject(object) && "spec" in object;
    const paths = this.#volatile.of(this.#spec.group, this.#spec.kind, hasSpec);
    const { fields, lagging } = compareWithRow(seen, row, paths);
    if (fields.length > 0) {
      return finding(this.#spec, place, "differs", seen.resourceVersion, row.resourceVersion, fields);
    }
    return lagging ? "lagging" : null;
  }

  #normalised(object: JsonValue): ActualUpsert {
    const { group, version, kind, namespaced } = this.#spec;
    const fields = isJsonObject(object) ? object : {};
    const complete = { kind, apiVersion: group === "" ? version : `${group}/${version}`, ...fields };
    const volatile = this.#volatile;
    const seen = { fabricId: this.#options.fabricId, writePath: "list" as const, observedAt: 0, volatile };
    return normaliseActual(complete, namespaced ? seen : { ...seen, namespace: "" });
  }

  async #rows(keys: readonly { namespace: string; name: string }[]): Promise<Map<string, ActualRow>> {
    const { store, fabricId } = this.#options;
    const { group: apiGroup, kind } = this.#spec;
    const rows = await store.actualRows({ fabricId, apiGroup, kind, keys });
    return new Map(rows.map((row) => [`${row.namespace}/${row.name}`, row]));
  }
}

async function* tableKeys(
  { group, kind, namespace }: Pick<StreamSpec, "group" | "kind" | "namespace">,
  { store, fabricId }: CheckOptions,
) {
  let after: { namespace: string; name: string } | null = null;
  for (;;) {
    const keys = await store.actualKeys({ fabricId, apiGroup: group, kind, namespace, after, limit: CHUNK });
    yield* keys;
    const last = keys.at(-1);
    if (last === undefined || keys.length < CHUNK) return;
    after = { namespace: last.namespace, name: last.name };
  }
}

function finding(
  { group, kind }: Pick<StreamSpec, "group" | "kind">,
  { namespace, name }: { namespace: string; name: string },
  problem: Finding["problem"],
  inCluster: string,
  inTable: string,
  fields: readonly string[] = [],
): Finding {
  return { apiGroup: group, kind, namespace, name, problem, fields, inCluster, inTable };
}

function metadataOf(object: JsonValue): JsonObject {
  return isJsonObject(object) && isJsonObject(object["metadata"]) ? object["metadata"] : {};
}
function placeOf(object: JsonValue): { namespace: string; name: string } {
  const { namespace, name } = metadataOf(object);
  return { namespace: typeof namespace === "string" ? namespace : "", name: typeof name === "string" ? name : "" };
}
function versionOf(object: JsonValue): string {
  const { resourceVersion } = metadataOf(object);
  return typeof resourceVersion === "string" ? resourceVersion : "";
}
