/** Objects and observations for the tests of core, made through the real normalisation. */
import type { JsonObject, JsonValue } from "../../src/core/json.ts";
import { normaliseActual, normaliseDesired } from "../../src/core/normalise.ts";
import type { ActualDelete, ActualUpsert, DesiredDelete, DesiredUpsert } from "../../src/core/observation.ts";
import type { ReducePolicy } from "../../src/core/policy.ts";
import type { ReduceContext } from "../../src/core/reduce.ts";

export const FABRIC = "00000000-0000-7000-8000-00000000000f";
export const COMMIT_1 = "1".repeat(40);
export const COMMIT_2 = "2".repeat(40);

export const POLICY: ReducePolicy = {
  driftMode: "local",
  reportExtra: false,
  direction: "observe",
  ignore: [],
  hasGit: true,
};

/** A kind of a group that no table of core knows. */
export const WIDGET = { apiVersion: "example.com/v1", kind: "Widget" };
export const AGENT = { apiVersion: "agent.githedgehog.com/v1beta1", kind: "Agent" };

export function object(
  parts: {
    type?: { apiVersion: string; kind: string };
    spec?: JsonValue;
    metadata?: JsonObject;
    status?: JsonValue;
  } = {},
): JsonObject {
  const { type = WIDGET, spec = { size: 1 }, metadata = {}, status } = parts;
  const body: JsonObject = { ...type, metadata: { name: "one", namespace: "default", ...metadata }, spec };
  return status === undefined ? body : { ...body, status };
}

export function desired(
  spec: JsonValue = { size: 1 },
  parts: {
    commit?: string;
    filePath?: string;
    line?: number;
    fileHash?: string;
    type?: typeof WIDGET;
    labels?: JsonObject;
  } = {},
): DesiredUpsert {
  const { commit = COMMIT_1, filePath = "a.yaml", line = 1, fileHash = "b".repeat(40), type = WIDGET, labels } = parts;
  const metadata: JsonObject = labels === undefined ? {} : { labels };
  return normaliseDesired(
    object({ type, spec, metadata }),
    { commit, author: "ada", filePath, line, fileHash },
    { fabricId: FABRIC, writePath: "git_poll", observedAt: 1_000 },
  );
}

export function desiredDelete(type = WIDGET): DesiredDelete {
  const { key } = desired({}, { type });
  return {
    side: "desired",
    type: "delete",
    key,
    writePath: "git_poll",
    observedAt: 2_000,
    commit: COMMIT_2,
    author: "ada",
    reason: "gone from the tree",
  };
}

export function actual(
  spec: JsonValue = { size: 1 },
  parts: {
    rv?: string;
    uid?: string;
    type?: typeof WIDGET;
    metadata?: JsonObject;
    status?: JsonValue;
    writePath?: "watch" | "list";
  } = {},
): ActualUpsert {
  const { rv = "10", uid = "uid-a", type = WIDGET, metadata = {}, status, writePath = "watch" } = parts;
  return normaliseActual(
    object({
      type,
      spec,
      metadata: { uid, resourceVersion: rv, generation: 1, ...metadata },
      ...(status === undefined ? {} : { status }),
    }),
    { fabricId: FABRIC, writePath, observedAt: 1_000 },
  );
}

export function actualDelete(
  parts: { rv?: string; uid?: string; type?: typeof WIDGET; writePath?: "watch" | "list" } = {},
): ActualDelete {
  const { rv = "100", uid = "uid-a", type = WIDGET, writePath = "watch" } = parts;
  return {
    side: "actual",
    type: "delete",
    key: actual({}, { type }).key,
    writePath,
    observedAt: 2_000,
    uid,
    resourceVersion: rv,
    reason: "deleted in the cluster",
  };
}

/** A context whose clock stands `seconds` after the epoch. */
export function at(seconds: number): ReduceContext {
  return { now: new Date(seconds * 1000).toISOString(), newId: () => "01890000-0000-7000-8000-000000000001" };
}
