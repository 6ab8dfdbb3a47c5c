import { isJsonObject } from "../../core/json.ts";
import type { JsonValue } from "../../core/json.ts";
import { compareResourceVersions } from "../../core/resource-version.ts";
import { KubeApiError } from "./api-error.ts";
import type { KubeClient, Query } from "./client.ts";
import { StreamFault } from "./fault.ts";
import type { StreamSpec } from "./selection.ts";
import type { StreamTiming } from "./timing.ts";

/** Path of the resource, inside the namespace where the stream has one. */
export function resourcePath({ group, version, plural, namespace }: StreamSpec): string {
  const root = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
  return `${root}${namespace === "" ? "" : `/namespaces/${encodeURIComponent(namespace)}`}/${plural}`;
}

/** A watch that begins with every object: no resourceVersion asks for a state as fresh as etcd's, whatever the cache holds. */
export function watchListQuery(spec: StreamSpec, timing: StreamTiming, random: () => number): Query {
  return {
    ...watchQuery(spec, undefined, timing, random),
    sendInitialEvents: true,
    resourceVersionMatch: "NotOlderThan",
  };
}

/** A watch of what comes after `resourceVersion`. */
export function watchQuery(
  spec: StreamSpec,
  resourceVersion: string | undefined,
  timing: StreamTiming,
  random: () => number,
): Query {
  return {
    watch: 1,
    allowWatchBookmarks: true,
    timeoutSeconds: Math.round(timing.watchSeconds * (1 + random())),
    resourceVersion,
    labelSelector: spec.labelSelector || undefined,
  };
}

export interface Page {
  readonly items: readonly JsonValue[];
  /** Of the whole list: all its pages show one moment. */
  readonly resourceVersion: string;
}

/**
 * A complete list, a page at a time. The pages carry no resourceVersion in their request: `resourceVersion=0` would be answered from a
 * cache of any age, older than the table maybe, and with every object at once whatever the limit.
 *
 * @throws KubeApiError 410 when the token of the next page has expired: the list begins anew.
 */
export async function* listPages(
  client: Pick<KubeClient, "fetch">,
  spec: StreamSpec,
  timing: StreamTiming,
  signal: AbortSignal,
): AsyncGenerator<Page, void, void> {
  let token: string | undefined;
  let limit = timing.pageSize;
  for (;;) {
    let body;
    try {
      const query = { limit, continue: token, labelSelector: spec.labelSelector || undefined };
      body = (await client.fetch("GET", resourcePath(spec), { query, signal, maxBytes: timing.pageBytes })).body;
    } catch (error) {
      if (!(error instanceof KubeApiError && error.reason === "AnswerTooLarge" && limit > 1)) throw error;
      limit = Math.max(1, Math.floor(limit / 4));
      continue;
    }
    const page = isJsonObject(body) ? body : {};
    const metadata = isJsonObject(page["metadata"]) ? page["metadata"] : {};
    const { resourceVersion, continue: next } = metadata;
    const items = page["items"] ?? []; // null in the list of a kind without objects
    if (!Array.isArray(items) || typeof resourceVersion !== "string" || resourceVersion === "") {
      throw new KubeApiError(502, "NotAList", "the API server answered a list request with something else");
    }
    yield { items, resourceVersion };
    if (typeof next !== "string" || next === "") return;
    token = next;
  }
}

/** Where the storage behind the resource stands now: the resourceVersion of a list of one object, read consistently. */
export async function currentVersion(
  client: Pick<KubeClient, "fetch">,
  spec: StreamSpec,
  signal: AbortSignal,
): Promise<string> {
  const { body } = await client.fetch("GET", resourcePath(spec), { query: { limit: 1 }, signal });
  const metadata = isJsonObject(body) && isJsonObject(body["metadata"]) ? body["metadata"] : {};
  return typeof metadata["resourceVersion"] === "string" ? metadata["resourceVersion"] : "";
}

/**
 * After trouble the storage may be another one (etcd restored). A server that stands before our position says nothing about it to a watch:
 * it leaves out what comes until it is there again.
 * @throws StreamFault `ResourceVersionRewound`
 */
export async function checkStorage(
  client: Pick<KubeClient, "fetch">,
  spec: StreamSpec,
  position: string,
  signal: AbortSignal,
): Promise<void> {
  refuseSetBack(await currentVersion(client, spec, signal), position);
}

/** @throws StreamFault `ResourceVersionRewound` when a storage that stands at `version` has never been at `position`. */
export function refuseSetBack(version: string, position: string): void {
  if ((compareResourceVersions(version, position) ?? 0) >= 0) return;
  throw new StreamFault("rewound", "ResourceVersionRewound", "the cluster's storage was set back to an older state");
}
