import type { JsonObject } from "../core/json.ts";
import type { ResourceEvent, ResourceRow } from "../core/row.ts";

/**
 * History keeps the whole side after each change (the image), so that any instant is one index look-up away and a reader of the feed needs
 * nothing else. The image of a resource's last change is what its row says; it is put together by the database from the row that it
 * has just parsed, instead of being sent and parsed a second time (measured: 80 µs of 216 a change).
 */
export type EventWrite = Omit<ResourceEvent, "image"> & {
  /** Null when `derived`, or when the side has gone. */
  readonly image: JsonObject | null;
  readonly derived: boolean;
};

/** The event as it is sent: without its image where `row` holds the very same values. */
export function eventWrite(event: ResourceEvent, row: ResourceRow): EventWrite {
  const derived = event.image !== null && isImageOf(event.image, event.side, row);
  return { ...event, image: derived ? null : event.image, derived };
}

/** By identity: no comparison of contents. */
function isImageOf(image: JsonObject, side: ResourceEvent["side"], row: ResourceRow): boolean {
  if (side === "desired") {
    return (
      image["spec"] === row.desiredSpec &&
      image["labels"] === row.desiredLabels &&
      image["annotations"] === row.desiredAnnotations
    );
  }
  return (
    image["spec"] === row.actualSpec &&
    image["labels"] === row.labels &&
    image["annotations"] === row.annotations &&
    (image["status"] ?? null) === row.actualStatus
  );
}

/** The image of `side` of the row `alias`, as `imageOf` of `core/reduction.ts` makes it; a test compares the two. */
export function imageExpression(side: string, row: string): string {
  const of = (spec: string, labels: string, annotations: string): string =>
    `'spec', ${row}.${spec}, 'labels', ${row}.${labels}, 'annotations', ${row}.${annotations}`;
  const actual = of("actual_spec", "labels", "annotations");
  return `CASE
    WHEN ${side} = 'desired'
    THEN jsonb_build_object(${of("desired_spec", "desired_labels", "desired_annotations")})
    WHEN ${row}.actual_status IS NULL THEN jsonb_build_object(${actual})
    ELSE jsonb_build_object(${actual}, 'status', ${row}.actual_status) END`;
}

/** The columns of the row that images are made of. */
export const IMAGE_SOURCES = [
  "actual_spec",
  "actual_status",
  "labels",
  "annotations",
  "desired_spec",
  "desired_labels",
  "desired_annotations",
];
