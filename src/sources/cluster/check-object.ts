import { sameJson } from "../../core/json.ts";
import type { JsonValue } from "../../core/json.ts";
import type { ActualUpsert } from "../../core/observation.ts";
import type { ActualRow } from "../../core/ports.ts";
import { compareResourceVersions } from "../../core/resource-version.ts";
import { withoutVolatile } from "../../core/volatile.ts";
import type { VolatilePaths } from "../../core/volatile.ts";

/** How a row stands to the object that it mirrors. */
export interface Comparison {
  /** Fields in which the row is wrong: `uid`, `apiVersion`, `deletionRequestedAt`, `labels`, `annotations`, `spec`, `status`, `resourceVersion`. */
  readonly fields: readonly string[];
  /**
   * The object moved on in what makes no history alone (volatile fields, managedFields): the row follows within a minute, or with the
   * next change.
   */
  readonly lagging: boolean;
}

/**
 * Compares a row with the object as it is now, which came through the same redaction and normalisation. A row may stand behind the
 * object's resourceVersion only where nothing but volatile fields differs; it may never be ahead.
 */
export function compareWithRow(seen: ActualUpsert, row: ActualRow, volatile: VolatilePaths): Comparison {
  const fields: string[] = [];
  const expect = (field: string, same: boolean): void => {
    if (!same) fields.push(field);
  };
  const equal = (a: JsonValue, b: JsonValue, paths: VolatilePaths["spec"]): boolean =>
    sameJson(a, b) || sameJson(withoutVolatile(a, paths), withoutVolatile(b, paths));
  expect("uid", seen.uid === row.uid);
  expect("apiVersion", seen.apiVersion === row.apiVersion);
  expect("deletionRequestedAt", sameInstant(seen.deletionRequestedAt, row.deletionRequestedAt));
  expect("labels", equal(seen.content.labels, row.labels, volatile.labels));
  expect("annotations", equal(seen.content.annotations, row.annotations, volatile.annotations));
  expect("spec", equal(seen.content.spec, row.spec, volatile.spec));
  expect("status", equal(seen.status, row.status, volatile.status));
  const lagging = seen.resourceVersion !== row.resourceVersion;
  expect("resourceVersion", !lagging || (compareResourceVersions(row.resourceVersion, seen.resourceVersion) ?? -1) < 0);
  return { fields, lagging: lagging && fields.length === 0 };
}

function sameInstant(a: string | null, b: string | null): boolean {
  return a === b || (a !== null && b !== null && Date.parse(a) === Date.parse(b));
}
