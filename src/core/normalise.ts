/**
 * The boundary: raw Kubernetes objects become observations here, and secrets end here (invariant 16). No other code makes the
 * content of an observation.
 */
import { contentHash } from "./content-hash.ts";
import { FabricSyncError } from "./errors.ts";
import { isGeneratedKind } from "./generated.ts";
import type { ResourceKey } from "./identity.ts";
import { isJsonObject } from "./json.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import { lastEdit, lastManager, ownersOf as fieldOwnersOf } from "./managed-fields.ts";
import type { ActualDelete, ActualUpsert, DesiredOrigin, DesiredUpsert } from "./observation.ts";
import { redact } from "./redact.ts";
import type { WritePath } from "./vocabulary.ts";
import { BUILT_IN_VOLATILE } from "./volatile.ts";
import type { VolatileMatcher } from "./volatile.ts";

/** Who saw the object, when, for which fabric. */
export interface SeenBy {
  readonly fabricId: string;
  readonly writePath: WritePath;
  /** ms since the epoch */
  readonly observedAt: number;
  /** Instead of metadata.namespace: '' for a kind of cluster scope, the Fabric's default where a manifest names none. */
  readonly namespace?: string;
  /** Instead of the built-in ones, for what the cluster holds. */
  readonly volatile?: VolatileMatcher;
}

/**
 * Annotations in which tools keep whole copies of the object (secrets included) or their own bookkeeping. They are dropped on both
 * sides: they say nothing that the row does not say, and a leader election would rewrite its object every few seconds.
 */
const BOOKKEEPING_ANNOTATIONS: ReadonlySet<string> = new Set([
  "kubectl.kubernetes.io/last-applied-configuration",
  "argocd.argoproj.io/tracking-id",
  "banzaicloud.com/last-applied",
  "config.kubernetes.io/origin",
  "config.k8s.io/owning-inventory",
  "control-plane.alpha.kubernetes.io/leader",
  "kapp.k14s.io/original",
  "objectset.rio.cattle.io/applied",
  "pulumi.com/last-applied-configuration",
]);

/**
 * What Git declares. A manifest's `status` is not desired state and is left out.
 * @throws FabricSyncError `MalformedObject` (dead-letter), see {@link identify}.
 */
export function normaliseDesired(manifest: JsonObject, origin: DesiredOrigin, seen: SeenBy): DesiredUpsert {
  const { key, apiVersion, metadata } = identify(manifest, seen);
  const parts = contentOf(manifest, metadata);
  const owners = ownersOf(metadata);
  const volatile = (seen.volatile ?? BUILT_IN_VOLATILE).of(key.apiGroup, key.kind, "spec" in manifest);
  return {
    side: "desired",
    type: "upsert",
    key,
    writePath: seen.writePath,
    observedAt: seen.observedAt,
    apiVersion,
    content: { ...parts, hash: contentHash({ ...parts, apiVersion, status: null, owners }, volatile) },
    origin,
    ...(owners.length === 0 ? {} : { owners }),
  };
}

/**
 * What the cluster holds: an item of a list, or the object of an ADDED or MODIFIED event. Items of a typed list carry no kind of their
 * own; the caller fills it in.
 * @throws FabricSyncError `MalformedObject` (dead-letter), see {@link identify}.
 */
export function normaliseActual(object: JsonObject, seen: SeenBy): ActualUpsert {
  const { key, apiVersion, metadata } = identify(object, seen);
  const parts = contentOf(object, metadata);
  const status = redact(object["status"] ?? null);
  const owners = ownersOf(metadata);
  const volatile = (seen.volatile ?? BUILT_IN_VOLATILE).of(key.apiGroup, key.kind, "spec" in object);
  const edit = lastEdit(metadata["managedFields"]);
  // Nobody compares what the platform generates, so nobody asks who wrote a field of it.
  const fieldOwners = isGeneratedKind(key) ? [] : fieldOwnersOf(metadata["managedFields"]);
  return {
    side: "actual",
    type: "upsert",
    key,
    writePath: seen.writePath,
    observedAt: seen.observedAt,
    apiVersion,
    content: { ...parts, hash: contentHash({ ...parts, apiVersion, status, owners }, volatile) },
    status,
    uid: text(metadata["uid"]),
    generation: typeof metadata["generation"] === "number" ? metadata["generation"] : 0,
    resourceVersion: text(metadata["resourceVersion"]),
    deletionRequestedAt: text(metadata["deletionTimestamp"]) || null,
    manager: lastManager(metadata["managedFields"]),
    ...(volatile.own === undefined ? {} : { volatile: volatile.own }),
    ...(owners.length === 0 ? {} : { owners }),
    ...(edit === null ? {} : { lastEdit: edit }),
    ...(fieldOwners.length === 0 ? {} : { fieldOwners }),
  };
}

/**
 * A DELETED event. Its object is the last state before the deletion, its resourceVersion the deletion's own.
 * @throws FabricSyncError `MalformedObject` (dead-letter), see {@link identify}.
 */
export function normaliseDeleted(object: JsonObject, seen: SeenBy, reason: string): ActualDelete {
  const { key, metadata } = identify(object, seen);
  return {
    side: "actual",
    type: "delete",
    key,
    writePath: seen.writePath,
    observedAt: seen.observedAt,
    uid: text(metadata["uid"]),
    resourceVersion: text(metadata["resourceVersion"]),
    reason,
  };
}

/**
 * The key of a manifest or object.
 * @throws FabricSyncError `MalformedObject` (dead-letter) when apiVersion, kind, metadata or metadata.name is missing or not a text, or
 *   one of them holds a NUL character.
 */
export function identify(
  object: JsonObject,
  seen: Pick<SeenBy, "fabricId" | "namespace">,
): { key: ResourceKey; apiVersion: string; metadata: JsonObject } {
  const apiVersion = required(object["apiVersion"], "apiVersion");
  const kind = required(object["kind"], "kind");
  const metadata = object["metadata"];
  if (!isJsonObject(metadata)) throw malformed("metadata is missing or not an object");
  const name = required(metadata["name"], "metadata.name");
  const declared = metadata["namespace"] ?? "";
  if (typeof declared !== "string") throw malformed("metadata.namespace is not a text");
  const namespace = seen.namespace ?? declared;
  if (namespace.includes("\0")) throw malformed("metadata.namespace holds a NUL character");
  const slash = apiVersion.indexOf("/");
  const apiGroup = slash < 0 ? "" : apiVersion.slice(0, slash);
  return { key: { fabricId: seen.fabricId, apiGroup, kind, namespace, name }, apiVersion, metadata };
}

/** Redacted `spec` (or what stands for it), labels and annotations. */
function contentOf(
  object: JsonObject,
  metadata: JsonObject,
): { spec: JsonValue; labels: JsonObject; annotations: JsonObject } {
  const spec = "spec" in object ? (redact(object["spec"] ?? null) ?? {}) : rootFields(object);
  return {
    spec,
    labels: texts(metadata["labels"], "metadata.labels"),
    annotations: withoutBookkeeping(texts(metadata["annotations"], "metadata.annotations")),
  };
}

/** ConfigMap, Secret, Role and others have no spec: every top-level field but the four that have columns of their own. */
function rootFields(object: JsonObject): JsonObject {
  const fields = { ...object };
  for (const field of ["apiVersion", "metadata", "status"]) delete fields[field];
  // The kind stays until after redaction: it says whether `data` is a Secret's.
  const clean = redact(fields);
  if (!isJsonObject(clean)) return {};
  const rest = { ...clean };
  delete rest["kind"];
  return rest;
}

/** A map of texts, redacted. Anything else would be altered on its way through the API server: refused, not repaired. */
function texts(value: JsonValue | undefined, where: string): JsonObject {
  if (value === undefined || value === null) return {};
  if (!isJsonObject(value)) throw malformed(`${where} is not an object`);
  for (const key in value) {
    if (typeof value[key] !== "string") throw malformed(`${where} holds a value that is not a text`, { key });
  }
  const clean = redact(value);
  return isJsonObject(clean) ? clean : {};
}

function withoutBookkeeping(annotations: JsonObject): JsonObject {
  const names = Object.keys(annotations);
  if (!names.some((name) => BOOKKEEPING_ANNOTATIONS.has(name))) return annotations;
  return Object.fromEntries(Object.entries(annotations).filter(([name]) => !BOOKKEEPING_ANNOTATIONS.has(name)));
}

function ownersOf(metadata: JsonObject): JsonObject[] {
  const references = metadata["ownerReferences"];
  return Array.isArray(references) ? references.map((one) => redact(one)).filter(isJsonObject) : [];
}

function required(value: JsonValue | undefined, where: string): string {
  if (typeof value !== "string" || value === "") throw malformed(`${where} is missing or not a text`);
  if (value.includes("\0")) throw malformed(`${where} holds a NUL character`);
  return value;
}

function text(value: JsonValue | undefined): string {
  return typeof value === "string" ? value : "";
}

function malformed(message: string, context: Record<string, string> = {}): FabricSyncError {
  return new FabricSyncError("MalformedObject", "dead-letter", message, { context });
}
