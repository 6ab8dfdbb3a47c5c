import type { FieldPlace, Place } from "../../../core/places.ts";
import { MAX_PLACES } from "./field-places.ts";
import { TOO_MANY_ITEMS } from "./read-document.ts";

/** Thrown as it is, see `plain-tokens.ts`. */
export const TOO_MANY = new Error(TOO_MANY_ITEMS);

/** Notes where the fields of a document stand, and the entries of its top-level `items`. */
export class PlainPlaces {
  readonly fields: FieldPlace[] = [];
  readonly items: Place[] = [];
  readonly #maxItems: number;
  /** The key read last is a top-level `items`. */
  #listsItems = false;

  constructor(maxItems: number) {
    this.#maxItems = maxItems;
  }

  /** Whether the fields of a collection that begins now are noted. */
  get open(): boolean {
    return this.fields.length < MAX_PLACES;
  }

  key(depth: number, segment: string, place: Place | null): void {
    if (place !== null) this.fields.push({ depth, segment, ...place });
    this.#listsItems = depth === 0 && segment === "items";
  }

  /** Whether the collection that begins is the top-level `items`. */
  takeItems(): boolean {
    const taken = this.#listsItems;
    this.#listsItems = false;
    return taken;
  }

  element(depth: number, index: number, place: Place, how: { readonly noted: boolean; readonly item: boolean }): void {
    if (how.noted) this.fields.push({ depth, segment: String(index), ...place });
    if (how.item && this.items.push(place) > this.#maxItems) throw TOO_MANY;
  }
}
