/** What the API server said when it was asked, by a dry run, what it would make of Git's side. Stored with the row. */
import { hash } from "node:crypto";
import { canonicalJson, isJsonObject } from "./json.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import { pointer, segmentsOf } from "./pointer.ts";
import type { ResourceRow } from "./row.ts";

/**
 * - `accepted`: it would take it, and nothing would change on a declared path (or the object is not there yet)
 * - `differs`: it would take it, and the paths would change
 * - `refused`: it would not take it
 * - `unanswered`: it could not be asked, or its answer says nothing about Git's side
 */
export type CheckOutcome = "accepted" | "differs" | "refused" | "unanswered";

export interface Check {
  /** What was asked about; see {@link checkKey}. */
  readonly key: string;
  readonly outcome: CheckOutcome;
  /** A CamelCase word for `refused` and `unanswered`; '' else. */
  readonly code: string;
  /** In words; redacted. '' where there is nothing to say. */
  readonly message: string;
  readonly paths: readonly CheckedPath[];
  /** RFC 3339. */
  readonly at: string;
  /** When to ask again though nothing changed, RFC 3339; '' = not before one of the sides changes. */
  readonly again: string;
}
export interface CheckedPath {
  readonly path: readonly string[];
  /** Where it stands in the cluster's object, when that is elsewhere. */
  readonly actualPath: readonly string[];
}

/** Characters of a message that are kept: what a webhook says may be a page. */
const MAX_MESSAGE = 1_000;
/** Hex digits of the key: enough to tell a row's own questions apart. */
const KEY_DIGITS = 24;

/**
 * Stands for one question: Git's side, the cluster's spec, labels and annotations, and the kind's schema. The status is no part of it, and
 * neither is who wrote what.
 * @param removed paths that Git declared before
 * @param schemaHash '' where no schema is known
 */
export function checkKey(row: ResourceRow, removed: readonly string[], schemaHash: string): string {
  const sides = canonicalJson([
    row.desiredHash,
    [...removed],
    row.actualSpec,
    row.actualSpec === null ? null : [row.labels, row.annotations],
    schemaHash,
  ]);
  return hash("sha256", sides, "hex").slice(0, KEY_DIGITS);
}

export function readCheck(column: JsonValue | undefined): Check | null {
  if (!isJsonObject(column)) return null;
  const paths = Array.isArray(column["paths"]) ? column["paths"].filter(isJsonObject) : [];
  return {
    key: text(column["key"]),
    outcome: text(column["outcome"]) as CheckOutcome,
    code: text(column["code"]),
    message: text(column["message"]),
    paths: paths.map((path) => ({
      path: segmentsOf(text(path["path"])),
      actualPath: segmentsOf(text(path["actual"] ?? path["path"])),
    })),
    at: text(column["at"]),
    again: text(column["again"]),
  };
}

export function writeCheck(check: Check): JsonObject {
  const { key, outcome, code, message, paths, at, again } = check;
  return {
    key,
    outcome,
    at,
    ...(code === "" ? {} : { code }),
    ...(message === "" ? {} : { message: message.slice(0, MAX_MESSAGE).toWellFormed() }),
    ...(paths.length === 0 ? {} : { paths: paths.map(writePath) }),
    ...(again === "" ? {} : { again }),
  };
}

function writePath({ path, actualPath }: CheckedPath): JsonObject {
  const [git, cluster] = [pointer(path), pointer(actualPath)];
  return git === cluster ? { path: git } : { path: git, actual: cluster };
}

function text(value: JsonValue | undefined): string {
  return typeof value === "string" ? value : "";
}
