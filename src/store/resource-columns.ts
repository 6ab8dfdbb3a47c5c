import type { ResourceEvent } from "../core/row.ts";
import { resource } from "./schema/resource.ts";
import { resourceEvent } from "./schema/resource-event.ts";
import { rowDecoder, shapeOf } from "./table-shape.ts";

/** Every column of `resource`, in the table's order. */
export const RESOURCE_COLUMNS = shapeOf(resource);

/** The columns of `resource_event` that the reducer fills; the transaction id and the sequence are the database's. */
export const EVENT_COLUMNS = shapeOf(resourceEvent, ["xid", "seq"]);

/** The key of `resource`, in the order of `compareKeys`: the order in which every statement locks. */
export const KEY_COLUMNS = ["fabric_id", "api_group", "kind", "namespace", "name"] as const;

export const decodeEvent = rowDecoder<ResourceEvent>(EVENT_COLUMNS);
