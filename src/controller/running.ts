import { FabricSyncError, messageOf } from "../core/errors.ts";
import type { SourceError } from "../core/streams.ts";

/** A part that runs. `key`: what it was made of; where that changes it is made anew. */
export interface Running<Part> {
  readonly part: Part;
  readonly key: string;
}

/** Stops a part; false when it has not come to rest after `deadlineMs`. */
export async function stopPart(
  running: Running<{ stop(): Promise<void> }> | null,
  deadlineMs: number,
): Promise<boolean> {
  return running === null || within(deadlineMs, running.part.stop());
}

/** Any thrown value as a condition tells it. */
export function sourceError(error: unknown): SourceError {
  if (error instanceof FabricSyncError) {
    return { code: error.code, message: error.message, stalled: error.policy === "stall" };
  }
  return { code: "InternalError", message: messageOf(error), stalled: false };
}

/** Whether `promise` was settled within `deadlineMs`. */
export async function within(deadlineMs: number, promise: Promise<unknown>): Promise<boolean> {
  const late = Promise.withResolvers<false>();
  const timer = setTimeout(() => late.resolve(false), deadlineMs);
  try {
    return await Promise.race([promise.then(() => true), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
