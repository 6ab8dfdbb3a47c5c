/** The table's half of a comparison with the cluster. */
import type { JsonObject, JsonValue } from "../json.ts";
import type { ActualKey, ActualKeysQuery } from "./observations.ts";

/** The actual side of one row, for a comparison with the cluster. */
export interface ActualRow extends ActualKey {
  readonly apiVersion: string;
  readonly deletionRequestedAt: string | null;
  readonly labels: JsonObject;
  readonly annotations: JsonObject;
  readonly spec: JsonValue;
  readonly status: JsonValue;
}

/** The table's half of a comparison with the cluster. */
export interface CheckedStore {
  actualKeys(query: ActualKeysQuery): Promise<ActualKey[]>;
  /** Of these keys of one kind those whose actual side is there. */
  actualRows(query: ActualRowsQuery): Promise<ActualRow[]>;
  /** Every kind of which some actual side is there. */
  actualKinds(fabricId: string): Promise<{ readonly apiGroup: string; readonly kind: string }[]>;
}
export interface ActualRowsQuery {
  readonly fabricId: string;
  readonly apiGroup: string;
  readonly kind: string;
  readonly keys: readonly { readonly namespace: string; readonly name: string }[];
}
