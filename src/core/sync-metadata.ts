import { isJsonObject } from "./json.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import { readCheck, writeCheck } from "./check.ts";
import type { Check } from "./check.ts";
import { readPlaces } from "./places.ts";
import type { Places } from "./places.ts";
import type { Edit, Owner } from "./managed-fields.ts";

/** What the reducer keeps in the column `sync_metadata` to judge later observations by. Empty parts are left out. */
export interface SyncMetadata {
  /** Pointers that Git declared before and no longer does; see `removed.ts`. */
  readonly removed: readonly string[];
  /** Where the fields of Git's document stand. */
  readonly places: Places;
  /** Who made `desired_commit`, and when (RFC 3339); each '' where that is not known. */
  readonly blame: { readonly author: string; readonly at: string };
  /** Git's apiVersion where it is not the cluster's. */
  readonly desiredApiVersion: string;
  /** Who edited the object in the cluster last. */
  readonly lastEdit: Edit | null;
  /** Who owns which fields in the cluster. */
  readonly owners: readonly Owner[];
  /** Stands for the volatile paths under which `actual_hash` was made; '' for the built-in ones. */
  readonly volatile: string;
  /** What the API server said when it was asked about the two sides last. */
  readonly check: Check | null;
  /** What happened to the row since the API server has to be asked about it; see `conflict.ts`. */
  readonly pending: Pending | null;
  /** What each side changed since both last agreed; see `conflict.ts`. */
  readonly sinceAgreed: { readonly desired: JsonObject | null; readonly actual: JsonObject | null };
}

/** Changes whose verdict waits for the API server. */
export interface Pending {
  /** The elements of `drift_details.paths` as of the verdict before. */
  readonly known: readonly JsonObject[];
  /** Git's change, `{commit, at}`. */
  readonly desired: JsonObject | null;
  /** The cluster's, `{manager, operation, resourceVersion, at}`. */
  readonly actual: JsonObject | null;
}

/** The part that a comparison needs of every row; the rest is read of those that differ. */
export function readDeclaredBefore(column: JsonObject): Pick<SyncMetadata, "removed" | "desiredApiVersion"> {
  const removed = column["removed"];
  return {
    removed: Array.isArray(removed) ? removed.filter((path) => typeof path === "string") : [],
    desiredApiVersion: asText(column["desiredApiVersion"]),
  };
}

export function readSyncMetadata(column: JsonObject): SyncMetadata {
  const since = asObject(column["sinceAgreed"]);
  const edit = asObject(column["lastEdit"]);
  const blame = asObject(column["blame"]);
  return {
    ...readDeclaredBefore(column),
    places: readPlaces(column["places"]),
    blame: { author: asText(blame?.["author"]), at: asText(blame?.["at"]) },
    lastEdit:
      edit === null
        ? null
        : { manager: asText(edit["manager"]), operation: asText(edit["operation"]), at: asText(edit["at"]) },
    owners: Array.isArray(column["owners"]) ? column["owners"].filter(isJsonObject).map(readOwner) : [],
    volatile: asText(column["volatile"]),
    check: readCheck(column["check"]),
    pending: readPending(asObject(column["pending"])),
    sinceAgreed: { desired: asObject(since?.["desired"]), actual: asObject(since?.["actual"]) },
  };
}

/** The column's value; `{}` when there is nothing to keep. */
export function writeSyncMetadata(metadata: SyncMetadata): JsonObject {
  const { removed, places, blame, desiredApiVersion, lastEdit, owners, volatile, check, pending, sinceAgreed } =
    metadata;
  const column: JsonObject = {};
  if (removed.length > 0) column["removed"] = [...removed];
  if (places !== "") column["places"] = places;
  if (blame.author !== "" || blame.at !== "") column["blame"] = { ...blame };
  if (desiredApiVersion !== "") column["desiredApiVersion"] = desiredApiVersion;
  if (lastEdit !== null) column["lastEdit"] = { ...lastEdit };
  if (owners.length > 0) column["owners"] = owners.map((owner) => ({ ...owner }));
  if (volatile !== "") column["volatile"] = volatile;
  if (check !== null) column["check"] = writeCheck(check);
  if (pending !== null) column["pending"] = { ...pending, known: [...pending.known] };
  const since: JsonObject = {};
  if (sinceAgreed.desired !== null) since["desired"] = sinceAgreed.desired;
  if (sinceAgreed.actual !== null) since["actual"] = sinceAgreed.actual;
  if (Object.keys(since).length > 0) column["sinceAgreed"] = since;
  return column;
}

function readPending(pending: JsonObject | null): Pending | null {
  if (pending === null) return null;
  const known = Array.isArray(pending["known"]) ? pending["known"].filter(isJsonObject) : [];
  return { known, desired: asObject(pending["desired"]), actual: asObject(pending["actual"]) };
}

function readOwner(owner: JsonObject): Owner {
  return {
    manager: asText(owner["manager"]),
    operation: asText(owner["operation"]),
    at: asText(owner["at"]),
    subresource: asText(owner["subresource"]),
    fields: asObject(owner["fields"]) ?? {},
  };
}

function asObject(value: JsonValue | undefined): JsonObject | null {
  return isJsonObject(value) ? value : null;
}

function asText(value: JsonValue | undefined): string {
  return typeof value === "string" ? value : "";
}
