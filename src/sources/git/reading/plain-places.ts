import type { FieldPlace, Place } from "../../../core/places.ts";
import type { JsonValue } from "../../../core/json.ts";
import { MAX_OBJECT_VALUES } from "../limits.ts";
import { MAX_PLACES } from "./field-places.ts";
import { couldBeTaken } from "./manifest-checks.ts";
import { TOO_MANY_ITEMS, TOO_MANY_VALUES } from "./read-document.ts";

/** Thrown as they are, see `plain-tokens.ts`. */
export const TOO_MANY = new Error(TOO_MANY_ITEMS);
export const TOO_LARGE = new Error(TOO_MANY_VALUES);

/** Notes where the fields of a document stand, and the entries of its top-level `items`; and counts the values of each object. */
export class PlainPlaces {
  readonly fields: FieldPlace[] = [];
  readonly items: Place[] = [];
  readonly #maxItems: number;
  /** The key read last is a top-level `items`. */
  #listsItems = false;
  /** Of the object that is being read, with those before it that were none. */
  #values = 0;

  constructor(maxItems: number) {
    this.#maxItems = maxItems;
  }

  /** Whether the fields of a collection that begins now are noted. */
  get open(): boolean {
    return this.fields.length < MAX_PLACES;
  }

  key(depth: number, segment: string, place: Place | null): void {
    this.#count();
    if (place !== null) this.fields.push({ depth, segment, ...place });
    this.#listsItems = depth === 0 && segment === "items";
  }

  /** Whether the collection that begins is the top-level `items`. */
  takeItems(): boolean {
    const taken = this.#listsItems;
    this.#listsItems = false;
    return taken;
  }

  /** @param how.before the element that was read last, undefined for none. */
  element(
    depth: number,
    index: number,
    place: Place,
    how: { readonly noted: boolean; readonly item: boolean; readonly before: JsonValue | undefined },
  ): void {
    if (how.item && (how.before === undefined || couldBeTaken(how.before))) this.#values = 0;
    this.#count();
    if (how.noted) this.fields.push({ depth, segment: String(index), ...place });
    if (how.item && this.items.push(place) > this.#maxItems) throw TOO_MANY;
  }

  #count(): void {
    if ((this.#values += 1) > MAX_OBJECT_VALUES) throw TOO_LARGE;
  }
}
