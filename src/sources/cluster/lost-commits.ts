import type { Cursor } from "../../core/ports.ts";
import { compareResourceVersions } from "../../core/resource-version.ts";
import type { Lane } from "../../core/streams.ts";
import type { Logger } from "../../core/telemetry.ts";
import type { Reflector } from "./reflector.ts";
import type { StreamSpec } from "./selection.ts";

/** A stream, as far as it matters where the database stands with it. */
export interface Followed {
  readonly spec: StreamSpec;
  readonly reflector: Pick<Reflector, "status" | "relist" | "rewind">;
  readonly lane: Pick<Lane, "saved" | "rewind">;
}

/**
 * Takes up again what the database lost: its cursor is the truth. A list that is under way is followed by another one, because
 * no cursor tells how much of it is there.
 */
export async function takeUpLost(
  streams: readonly Followed[],
  readCursors: () => Promise<ReadonlyMap<string, Cursor>>,
  logger: Logger,
): Promise<void> {
  const before = streams.map((stream) => ({ stream, saved: stream.lane.saved() }));
  const stored = await readCursors();
  for (const { stream, saved } of before) {
    const { reflector, lane, spec } = stream;
    if (reflector.status().state === "listing") void reflector.relist().catch(() => undefined); // its status tells
    if (saved === null) continue;
    const cursor = stored.get(spec.scope) ?? null;
    const position = cursor?.position ?? "";
    // Or it was saved anew while we asked.
    if (position === saved.position || position === lane.saved()?.position) continue;
    if ((compareResourceVersions(position, saved.position) ?? -1) > 0) continue;
    logger.warn({ scope: spec.scope, position }, "the database lost commits; going back to its cursor");
    lane.rewind(cursor);
    reflector.rewind(position, saved.position);
  }
}
