import { FabricSyncError, messageOf } from "../../core/errors.ts";
import type { Cursor } from "../../core/ports.ts";
import type { StreamStatus } from "../../core/streams.ts";
import { describeState } from "./reflector-state.ts";
import type { ReflectorState } from "./reflector-state.ts";
import type { StreamSpec, Unmet } from "./selection.ts";
import type { StreamLoss } from "./stream-loss.ts";

const NEVER = { completeAt: null, lastEventAt: null } as const;

/** What is known of a stream beside its state. */
export interface StreamFacts {
  /** The cursor that the database holds. */
  readonly saved: Cursor | null;
  readonly lastEventAt: number | null;
  readonly loss: Pick<StreamLoss, "facts">;
}

/** A stream that runs. `unread` are the objects that are there and cannot be read. */
export function streamStatus(
  { scope, group, kind, plural }: StreamSpec,
  current: ReflectorState,
  unread: readonly string[],
  { saved, lastEventAt, loss }: StreamFacts,
): StreamStatus {
  const { state, reason, message } = describeState(current);
  const told =
    unread.length === 0 ? message : `${unread.length} objects cannot be read: ${unread.slice(0, 3).join("; ")}`;
  const facts = { completeAt: saved?.completeAt ?? null, lastEventAt, ...loss.facts(saved) };
  return { scope, apiGroup: group, kind, plural, state, reason, message: told, ...facts };
}

/** Discovery itself fails: nothing is known of kinds that may have come or gone. */
export function discoveryStatus(error: unknown): StreamStatus {
  const reason = error instanceof FabricSyncError ? error.code : "DiscoveryFailed";
  const message = `the kinds of the cluster cannot be read: ${messageOf(error)}`;
  return { scope: "discovery", apiGroup: "*", kind: "*", plural: "", state: "retrying", reason, message, ...NEVER };
}

/** A kind that was watched and is not served now. */
export function goneStatus({ scope, group, kind, plural }: StreamSpec): StreamStatus {
  const message = `the API server no longer serves ${kind}${group === "" ? "" : `.${group}`}; its rows are kept as they were`;
  return { scope, apiGroup: group, kind, plural, state: "gone", reason: "NotServed", message, ...NEVER };
}

/** Something that was selected and cannot be watched. */
export function unmetStatus({ scope, group, kind, plural, state, reason, message }: Unmet): StreamStatus {
  const shown = state === "gone" ? "gone" : "retrying";
  return { scope, apiGroup: group, kind, plural, state: shown, reason, message, ...NEVER };
}
