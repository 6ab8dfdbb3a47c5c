import { messageOf } from "../../core/errors.ts";
import { isJsonObject } from "../../core/json.ts";
import type { JsonObject, JsonValue } from "../../core/json.ts";
import { KubeApiError } from "./api-error.ts";
import type { KubeClient } from "./client.ts";

/** One kind that the server serves, in one version. */
export interface DiscoveredKind {
  /** '' for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  /** Whether `version` is the one that the server prefers, of those in which it serves this resource. */
  readonly preferred: boolean;
}

export interface Discovery {
  readonly kinds: readonly DiscoveredKind[];
  /** Groups whose kinds could not be learned in full: what is missing there is not known to be gone. */
  readonly broken: readonly { readonly group: string; readonly message: string }[];
}

const V2 = "apidiscovery.k8s.io";
const ACCEPT_AGGREGATED = ["v2", "v2beta1"]
  .map((version) => `application/json;g=${V2};v=${version};as=APIGroupDiscoveryList`)
  .join(",");

/**
 * Reads what a server serves: two requests where it has aggregated discovery (1.26 and newer), else one a group version. Holds
 * the last answers' ETags, so that asking again costs next to nothing while nothing changed.
 */
export class DiscoveryReader {
  readonly #client: Pick<KubeClient, "fetch">;
  readonly #cache = new Map<string, { readonly etag: string; readonly discovery: Discovery }>();

  constructor(client: Pick<KubeClient, "fetch">) {
    this.#client = client;
  }

  /**
   * @throws KubeApiError, KubeUnreachable when the server's list of groups cannot be read at all; one broken group never does that.
   */
  async read(signal: AbortSignal): Promise<Discovery> {
    const parts = await Promise.all([this.#root("/api", signal), this.#root("/apis", signal)]);
    return { kinds: markPreferred(parts.flatMap((part) => part.kinds)), broken: parts.flatMap((part) => part.broken) };
  }

  async #root(path: "/api" | "/apis", signal: AbortSignal): Promise<Discovery> {
    const cached = this.#cache.get(path);
    const answer = await this.#client.fetch("GET", path, {
      accept: `${ACCEPT_AGGREGATED},application/json`,
      signal,
      ...(cached ? { headers: { "if-none-match": cached.etag } } : {}),
    });
    if (answer.status === 304 && cached) return cached.discovery;
    const body = objectOf(answer.body);
    if (body["kind"] !== "APIGroupDiscoveryList") return this.#unaggregated(groupVersions(path, body), signal);
    const discovery = aggregated(body);
    const etag = answer.headers["etag"];
    if (typeof etag === "string") this.#cache.set(path, { etag, discovery });
    return discovery;
  }

  async #unaggregated(versions: readonly GroupVersion[], signal: AbortSignal): Promise<Discovery> {
    const kinds: DiscoveredKind[] = [];
    const broken: { group: string; message: string }[] = [];
    await Promise.all(
      versions.map(async (gv) => {
        const path = gv.group === "" ? `/api/${gv.version}` : `/apis/${gv.group}/${gv.version}`;
        try {
          const { body } = await this.#client.fetch("GET", path, { signal });
          for (const resource of objectsOf(objectOf(body)["resources"])) kinds.push(...resourceKind(gv, resource));
        } catch (error) {
          if (signal.aborted) throw error;
          // 404: the version went away between the two requests, which is an answer.
          if (!(error instanceof KubeApiError && error.status === 404)) {
            broken.push({ group: gv.group, message: `${gv.version}: ${messageOf(error)}` });
          }
        }
      }),
    );
    const order = new Map(versions.map((gv, index) => [`${gv.group}/${gv.version}`, index]));
    const rank = (kind: DiscoveredKind): number => order.get(`${kind.group}/${kind.version}`) ?? 0;
    return { kinds: kinds.sort((a, b) => rank(a) - rank(b)), broken };
  }
}

interface GroupVersion {
  readonly group: string;
  readonly version: string;
}

/** `/api` answers APIVersions, `/apis` APIGroupList; the preferred version of a group comes first. */
function groupVersions(path: "/api" | "/apis", body: JsonObject): GroupVersion[] {
  if (path === "/api") return textsOf(body["versions"]).map((version) => ({ group: "", version }));
  return objectsOf(body["groups"]).flatMap((group) => {
    const name = textOf(group["name"]);
    const preferred = textOf(objectOf(group["preferredVersion"])["version"]);
    const versions = objectsOf(group["versions"]).map((version) => textOf(version["version"]));
    return [...new Set([preferred, ...versions])].filter((v) => v !== "").map((version) => ({ group: name, version }));
  });
}

/** APIGroupDiscoveryList (apidiscovery.k8s.io): versions of a group come in the order of preference. */
function aggregated(body: JsonObject): Discovery {
  const kinds: DiscoveredKind[] = [];
  const broken: { group: string; message: string }[] = [];
  for (const item of objectsOf(body["items"])) {
    const group = textOf(objectOf(item["metadata"])["name"]);
    for (const version of objectsOf(item["versions"])) {
      const name = textOf(version["version"]);
      if (version["freshness"] === "Stale") {
        broken.push({ group, message: `${name}: the API server cannot reach the server of this group` });
      }
      for (const resource of objectsOf(version["resources"])) {
        const kind = textOf(objectOf(resource["responseKind"])["kind"]);
        const plural = textOf(resource["resource"]);
        if (kind === "" || plural === "") continue;
        const namespaced = resource["scope"] === "Namespaced";
        kinds.push({
          group,
          version: name,
          kind,
          plural,
          namespaced,
          verbs: textsOf(resource["verbs"]),
          preferred: false,
        });
      }
    }
  }
  return { kinds, broken };
}

/** An entry of an APIResourceList; subresources (`pods/log`) are no kinds of their own. */
function resourceKind(gv: GroupVersion, resource: JsonObject): DiscoveredKind[] {
  const plural = textOf(resource["name"]);
  const kind = textOf(resource["kind"]);
  if (plural === "" || kind === "" || plural.includes("/")) return [];
  const { group, version } = gv;
  const namespaced = resource["namespaced"] === true;
  return [{ group, version, kind, plural, namespaced, verbs: textsOf(resource["verbs"]), preferred: false }];
}

/** A resource that only an older version of its group still has is preferred in that one. */
function markPreferred(kinds: readonly DiscoveredKind[]): DiscoveredKind[] {
  const seen = new Set<string>();
  return kinds.map((kind) => {
    const resource = `${kind.group}/${kind.plural}`;
    const preferred = !seen.has(resource);
    seen.add(resource);
    return { ...kind, preferred };
  });
}

function objectOf(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}
function objectsOf(value: JsonValue | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}
function textOf(value: JsonValue | undefined): string {
  return typeof value === "string" ? value : "";
}
function textsOf(value: JsonValue | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}
