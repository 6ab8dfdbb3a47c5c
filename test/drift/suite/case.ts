import type { JsonObject, JsonValue } from "../../../src/core/json.ts";

/** One pair of sides, made on the real API server, and what is true of it. */
export interface DriftCase {
  readonly title: string;
  readonly apiVersion: string;
  readonly kind: string;
  /** What Git says, without name: `spec`, or the fields of a kind without one, with `metadata` where it matters. */
  readonly git: JsonObject;
  /** What is applied instead, where that is not what Git says: an earlier revision, or Git without what cannot be applied. */
  readonly applied?: JsonObject;
  /** `applied` was Git's revision before this one. */
  readonly revised?: true;
  /** Whether Git's side is applied as well, after `applied`. */
  readonly reapplied?: true;
  /** Somebody's edits in the cluster: JSON patch operations (RFC 6902) and who makes them. */
  readonly edits?: readonly Edit[];
  /** Where one applier writes something else into the cluster than it was given: what is true there. */
  readonly expectBy?: Readonly<Record<string, readonly string[]>>;
  /** The drifted paths; none = in sync; a word for another verdict. */
  readonly expect: readonly string[] | "invalid";
}
export interface Edit {
  readonly op: "add" | "replace" | "remove";
  readonly path: string;
  readonly value?: JsonValue;
}

export const sample = (
  title: string,
  spec: JsonObject,
  expect: DriftCase["expect"],
  more: Partial<DriftCase> = {},
): DriftCase => ({ title, apiVersion: "drift.example.com/v1", kind: "Sample", git: { spec }, expect, ...more });

export const native =
  (apiVersion: string, kind: string) =>
  (title: string, git: JsonObject, expect: DriftCase["expect"], more: Partial<DriftCase> = {}): DriftCase => ({
    title: `${kind}: ${title}`,
    apiVersion,
    kind,
    git,
    expect,
    ...more,
  });

export const replace = (path: string, value: JsonValue): Edit => ({ op: "replace", path, value });
export const add = (path: string, value: JsonValue): Edit => ({ op: "add", path, value });
export const remove = (path: string): Edit => ({ op: "remove", path });
export const edited = (...edits: Edit[]): Partial<DriftCase> => ({ edits });
