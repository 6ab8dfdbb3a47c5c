import type { IncomingMessage } from "node:http";

/**
 * The raw bytes of a request's body; null when there are more than `limit` of them. A length that is announced as too long is
 * refused without reading.
 * @throws when the caller hangs up in the middle.
 */
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer | null> {
  if (limit === 0) return Buffer.alloc(0);
  if (Number(request.headers["content-length"] ?? 0) > limit) return null;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}
