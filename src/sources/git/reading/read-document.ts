import type { JsonValue } from "../../../core/json.ts";
import type { FieldPlace, Place } from "../../../core/places.ts";

/** One document of a file as a reader leaves it: its value, and where what is in it stands (1-based, in the file). */
export interface ReadDocument {
  readonly value: JsonValue;
  readonly place: Place;
  /** Where the entries of a top-level `items` stand. */
  readonly items: readonly Place[];
  /** Where each field stands, in the document's order; empty where that is not known. */
  readonly fields: readonly FieldPlace[];
}

/** A document that cannot be taken. */
export interface RefusedDocument {
  readonly place: Place;
  readonly code: string;
  readonly message: string;
}

/** Of a list whose items are documents of their own there are more than the caller takes. */
export const TOO_MANY_ITEMS = "too many items";
/** One object has more values than are read of it. */
export const TOO_MANY_VALUES = "too many values";

export type DocumentOutcome = ReadDocument | RefusedDocument;

export function isRefused(outcome: DocumentOutcome): outcome is RefusedDocument {
  return "code" in outcome;
}
