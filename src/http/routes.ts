import type { IncomingHttpHeaders } from "node:http";
import type { Answer } from "./answer.ts";

/** A request whose body, where the route takes one, was read to its end. */
export interface Call {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** The values of the pattern's `{names}`, decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** The raw bytes; empty where the route takes no body. */
  readonly body: Buffer;
  /** Aborts when the caller hung up. */
  readonly signal: AbortSignal;
}

export interface Route {
  readonly method: "GET" | "POST";
  /** Segments separated by '/'; `{name}` takes one whole segment. */
  readonly pattern: string;
  /** The longest body (bytes); 0 when none is read. */
  readonly maxBodyBytes?: number;
  handle(call: Call): Promise<Answer>;
}

export type Match =
  | { readonly found: "route"; readonly route: Route; readonly params: Readonly<Record<string, string>> }
  | { readonly found: "method"; readonly allow: readonly string[] }
  | { readonly found: "nothing" };

/** The route of a method and path. HEAD is answered as GET. */
export function matchRoute(routes: readonly Route[], method: string, path: string): Match {
  const matching = routes.flatMap((route) => {
    const params = paramsOf(route.pattern, path);
    return params === null ? [] : [{ route, params }];
  });
  if (matching.length === 0) return { found: "nothing" };
  const wanted = method === "HEAD" ? "GET" : method;
  const match = matching.find(({ route }) => route.method === wanted);
  if (match) return { found: "route", ...match };
  const allow = new Set(matching.flatMap(({ route }) => (route.method === "GET" ? ["GET", "HEAD"] : [route.method])));
  return { found: "method", allow: [...allow].sort() };
}

function paramsOf(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split("/");
  const given = path.split("/");
  if (wanted.length !== given.length) return null;
  const params: Record<string, string> = {};
  for (const [index, segment] of wanted.entries()) {
    const value = given[index] ?? "";
    const name = /^\{(\w+)\}$/.exec(segment)?.[1];
    if (name === undefined) {
      if (segment !== value) return null;
      continue;
    }
    const decoded = decodeSegment(value);
    if (decoded === null || decoded === "") return null;
    params[name] = decoded;
  }
  return params;
}

function decodeSegment(segment: string): string | null {
  try {
    return decodeURIComponent(segment);
  } catch {
    return null; // Not percent-encoding: no such path.
  }
}
