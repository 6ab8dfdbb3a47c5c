import { request } from "node:https";

/** How to reach an API server as one user. */
export interface Connection {
  readonly url: string;
  readonly ca: string;
  readonly token: string;
}

/** What the API server refused, with its Status object's words. */
export class ApiRefusal extends Error {
  override readonly name = "ApiRefusal";
  readonly status: number;
  readonly body: unknown;

  constructor(status: number, body: unknown, request: string) {
    const message = (body as { message?: unknown } | null)?.message;
    super(`${request}: HTTP ${status}${typeof message === "string" ? `: ${message}` : ""}`);
    this.status = status;
    this.body = body;
  }
}

export interface RequestOptions {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * One request on a connection of its own, so that no test is left with an open socket. Returns the parsed JSON, or the text when it is
 * none.
 * @throws ApiRefusal for any status but 2xx.
 */
export function requestJson<T = unknown>(
  connection: Connection,
  method: string,
  path: string,
  options: RequestOptions = {},
): Promise<T> {
  const body = options.body === undefined ? undefined : JSON.stringify(options.body);
  const headers: Record<string, string> = { authorization: `Bearer ${connection.token}`, accept: "application/json" };
  if (body !== undefined) headers["content-type"] = "application/json";
  return new Promise((resolve, reject) => {
    const call = request(
      new URL(path, connection.url),
      { method, ca: connection.ca, agent: false, headers: { ...headers, ...options.headers }, timeout: 30_000 },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const value = parsed(Buffer.concat(chunks).toString("utf8"));
          const status = response.statusCode ?? 0;
          if (status >= 200 && status < 300) resolve(value as T);
          else reject(new ApiRefusal(status, value, `${method} ${path}`));
        });
      },
    );
    call.on("timeout", () => call.destroy(new Error(`${method} ${path}: no answer for 30 s`)));
    call.on("error", reject);
    call.end(body);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
