import type { ResourceKey } from "./identity.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import type { Edit, Owner } from "./managed-fields.ts";
import type { Places } from "./places.ts";
import type { WritePath } from "./vocabulary.ts";
import type { OwnVolatile } from "./volatile.ts";

/**
 * One side of one resource, seen once. Sources make observations through the functions of `normalise.ts`, which also redact:
 * an observation never holds a secret. All texts are plain strings; '' means "not known".
 */
export type Observation = DesiredUpsert | DesiredDelete | ActualUpsert | ActualDelete;

interface Seen {
  readonly key: ResourceKey;
  readonly writePath: WritePath;
  /** When the source saw it (ms since the epoch). */
  readonly observedAt: number;
}

/** Git declares the object. */
export interface DesiredUpsert extends Seen {
  readonly side: "desired";
  readonly type: "upsert";
  readonly apiVersion: string;
  readonly content: Content;
  readonly origin: DesiredOrigin;
  /** metadata.ownerReferences; absent or undefined when there are none. */
  readonly owners?: readonly JsonObject[] | undefined;
  /** Roughly the bytes of its content, where that is only made when it is asked for. */
  readonly contentBytes?: number;
}

/** A complete tree no longer declares the object, or its file left the Fabric's path. */
export interface DesiredDelete extends Seen {
  readonly side: "desired";
  readonly type: "delete";
  /** The commit in which it is gone, and who made it. */
  readonly commit: string;
  readonly author: string;
  readonly reason: string;
}

/** The cluster holds the object. */
export interface ActualUpsert extends Seen {
  readonly side: "actual";
  readonly type: "upsert";
  readonly apiVersion: string;
  readonly content: Content;
  /** null when the object has no status. Volatile fields are kept here, but outside `content.hash`. */
  readonly status: JsonValue;
  readonly uid: string;
  readonly generation: number;
  readonly resourceVersion: string;
  /** metadata.deletionTimestamp, null when the object is not terminating. */
  readonly deletionRequestedAt: string | null;
  /** The most recent entry of metadata.managedFields: who changed it last. '' when there is none. */
  readonly manager: string;
  /** The most recent entry that is not of a subresource: who edited the object and not its status. Absent when not told. */
  readonly lastEdit?: Edit;
  /** Who owns which fields, by metadata.managedFields; absent when not told, and for kinds that the platform generates. */
  readonly fieldOwners?: readonly Owner[];
  /** The volatile paths under which `content.hash` was made, where they are not the built-in ones. */
  readonly volatile?: OwnVolatile;
  /** metadata.ownerReferences; absent when there are none. */
  readonly owners?: readonly JsonObject[];
}

/** The cluster no longer holds the object: a DELETED event, or absence from a complete list. */
export interface ActualDelete extends Seen {
  readonly side: "actual";
  readonly type: "delete";
  /** '' when absence was found by a list, and the last uid is not known to the source. */
  readonly uid: string;
  /** Of the DELETED event or of the list; '' when a side is retired by policy. */
  readonly resourceVersion: string;
  readonly reason: string;
}

/** What one side says, redacted and normalised. */
export interface Content {
  /** The object's `spec`, or every top-level field but apiVersion, kind, metadata and status where there is no spec. */
  readonly spec: JsonValue;
  readonly labels: JsonObject;
  readonly annotations: JsonObject;
  /** SHA-256 (64 hex digits) over the canonical JSON of what counts as a change; see `normalise.ts`. */
  readonly hash: string;
}

/** Where Git declares an object. */
export interface DesiredOrigin {
  /** The one that changed the file last, and who made it. */
  readonly commit: string;
  readonly author: string;
  /** When the author made it (RFC 3339); absent where that is not known. */
  readonly authoredAt?: string;
  /** Path in the repository, '/' separated. */
  readonly filePath: string;
  /** 1-based line of the document's first token. */
  readonly line: number;
  /** Git blob id of the file. */
  readonly fileHash: string;
  /** Where the document's fields stand; absent where that is not known. */
  readonly places?: Places;
}
