import { STATUS_CODES } from "node:http";

/** What a handler answers. The server adds length, caching and safety headers, and leaves the body out for HEAD. */
export interface Answer {
  readonly status: number;
  /** Media type with its charset; without one there is no body. */
  readonly contentType?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export function jsonAnswer(status: number, value: unknown): Answer {
  return { status, contentType: "application/json", body: `${JSON.stringify(value)}\n` };
}

/**
 * A problem document (RFC 9457).
 * @param detail one sentence for the caller; never holds what the caller could not know.
 */
export function problem(status: number, detail: string, headers: Readonly<Record<string, string>> = {}): Answer {
  const title = STATUS_CODES[status] ?? "Error";
  return {
    status,
    contentType: "application/problem+json",
    body: `${JSON.stringify({ type: "about:blank", title, status, detail })}\n`,
    headers,
  };
}
