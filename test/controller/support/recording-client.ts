import type { KubeClient, Method, Query, RequestOptions, StreamOptions } from "../../../src/sources/cluster/client.ts";

/** A request as RBAC sees it. */
export interface SeenRequest {
  readonly verb: string;
  readonly group: string;
  /** With its subresource: `fabrics/status`. */
  readonly resource: string;
  readonly namespace: string;
}

/** A real client that keeps a list of what was asked of it. */
export class RecordingClient {
  readonly seen: SeenRequest[] = [];
  readonly #client: Pick<KubeClient, "request" | "stream">;

  constructor(client: Pick<KubeClient, "request" | "stream">) {
    this.#client = client;
  }

  request(method: Method, path: string, options?: RequestOptions): ReturnType<KubeClient["request"]> {
    this.seen.push(asRbacSees(method, path, options?.query));
    return this.#client.request(method, path, options);
  }

  stream(path: string, options: StreamOptions): ReturnType<KubeClient["stream"]> {
    this.seen.push(asRbacSees("GET", path, options.query));
    return this.#client.stream(path, options);
  }
}

/** The verb and resource that the API server's authorizer makes of a request (RequestInfo). */
export function asRbacSees(method: Method, path: string, query: Query = {}): SeenRequest {
  const parts = path.split("/").filter((part) => part !== "");
  const group = parts[0] === "api" ? "" : (parts[1] ?? "");
  const rest = parts.slice(parts[0] === "api" ? 2 : 3);
  const namespaced = rest[0] === "namespaces" && rest.length > 2;
  const [resource = "", name, subresource] = namespaced ? rest.slice(2) : rest;
  const namespace = namespaced ? (rest[1] ?? "") : "";
  const reading = query["watch"] !== undefined ? "watch" : name === undefined ? "list" : "get";
  const verbs: Record<Method, string> = {
    GET: reading,
    POST: "create",
    PUT: "update",
    PATCH: "patch",
    DELETE: "delete",
  };
  return {
    verb: verbs[method],
    group,
    resource: subresource === undefined ? resource : `${resource}/${subresource}`,
    namespace,
  };
}
