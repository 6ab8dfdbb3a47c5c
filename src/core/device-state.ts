/** What a DeviceState is answered: how much of it was taken in, and what was refused, by path. Pure. */
import { isJsonObject } from "./json.ts";
import type { JsonObject, JsonValue } from "./json.ts";

export const DEVICE_STATE = { apiGroup: "fabricsync.dev", kind: "DeviceState" } as const;

/** Refusals that are listed one by one; the rest is counted. A status is for people, the view `rejections` has all of them. */
const LISTED = 32;
/** Characters of a refusal's reason, and of the condition's message. */
const REASON_LIMIT = 256;
const MESSAGE_LIMIT = 1_024;

/** One DeviceState whose content may not have been answered. `content` changes with what it says, and with nothing else. */
export interface DeviceStateVersion {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly content: string;
}

/** What the table holds of it. */
export interface DeviceStateFacts extends DeviceStateVersion {
  readonly generation: number;
  readonly observedAt: string;
  /** Its status, as it was seen last. */
  readonly status: JsonValue;
  /** Set → how many entries of it were taken in. */
  readonly taken: Readonly<Record<string, number>>;
  readonly refused: readonly { readonly path: string; readonly message: string }[];
  readonly refusedTotal: number;
  /** What the database said of the whole object, when it refused that; '' when it did not. */
  readonly refusedWhole: string;
}

/** Where the answers come from. */
export interface DeviceStateStore {
  /** Every DeviceState that the cluster has. */
  deviceStates(fabricId: string): Promise<DeviceStateVersion[]>;
  deviceStateFacts(fabricId: string, some: readonly DeviceStateVersion[]): Promise<DeviceStateFacts[]>;
}

/** The status that says so. The time of its condition moves with the condition's status alone, so that an answer given twice is the same. */
export function deviceStateStatus(facts: DeviceStateFacts): JsonObject {
  const { generation, refused, refusedTotal, refusedWhole, taken } = facts;
  const status = refusedTotal === 0 && refusedWhole === "" ? "True" : "False";
  const reason = status === "True" ? "AllTakenIn" : refusedWhole === "" ? "SomeRefused" : "Refused";
  return {
    observedGeneration: generation,
    taken: { ...taken },
    refusedCount: refusedTotal,
    refused: refused
      .slice(0, LISTED)
      .map(({ path, message }) => ({ path: path.slice(0, 512), reason: clipped(message, REASON_LIMIT) })),
    conditions: [
      {
        type: "TakenIn",
        status,
        reason,
        message: clipped(messageOf(facts), MESSAGE_LIMIT),
        observedGeneration: generation,
        lastTransitionTime: transitionTime(facts, status),
      },
    ],
  };
}

function messageOf({ taken, refused, refusedTotal, refusedWhole }: DeviceStateFacts): string {
  if (refusedWhole !== "") return `the database refused it: ${refusedWhole}`;
  const counts = Object.entries(taken).filter(([, count]) => count > 0);
  const has =
    counts.length === 0 ? "taken in" : `taken in: ${counts.map(([set, count]) => `${count} ${set}`).join(", ")}`;
  if (refusedTotal === 0) return has;
  const first = refused.map(({ path, message }) => `${path} (${message})`).join("; ");
  return `${has}; refused: ${refusedTotal}: ${first}`;
}

function transitionTime({ status, observedAt }: DeviceStateFacts, wanted: string): string {
  const conditions = isJsonObject(status) ? status["conditions"] : undefined;
  const before = Array.isArray(conditions)
    ? conditions.find((condition) => isJsonObject(condition) && condition["type"] === "TakenIn")
    : undefined;
  const since = isJsonObject(before) && before["status"] === wanted ? before["lastTransitionTime"] : undefined;
  return typeof since === "string" ? since : `${new Date(observedAt).toISOString().slice(0, 19)}Z`;
}

function clipped(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit - 1)}…`.toWellFormed();
}
