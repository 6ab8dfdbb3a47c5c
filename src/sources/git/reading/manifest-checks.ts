import { isJsonObject } from "../../../core/json.ts";
import type { JsonObject, JsonValue } from "../../../core/json.ts";

/** Why an object cannot be a desired row. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
}

const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
/** `group/version` or `version`. */
const API_VERSION = /^(?:[a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const KIND = /^[A-Za-z][A-Za-z0-9]*$/;

/** Checks what identifies an object, as the API server would; null when all is well. Nothing is made up for what is missing. */
export function checkManifest(object: JsonObject): Refusal | null {
  const apiVersion = object["apiVersion"];
  const kind = object["kind"];
  if (!isText(kind)) return refusal("MissingKind", "kind is missing or not a text");
  if (!KIND.test(kind) || kind.length > 63) return refusal("BadKind", `kind ${quoted(kind)} is not a kind's name`);
  if (!isText(apiVersion)) return refusal("MissingApiVersion", "apiVersion is missing or not a text");
  if (!API_VERSION.test(apiVersion) || apiVersion.length > 317) {
    return refusal("BadApiVersion", `apiVersion ${quoted(apiVersion)} is not a version or group/version`);
  }
  const metadata = object["metadata"];
  if (!isJsonObject(metadata)) return refusal("MissingName", "metadata.name is missing");
  return checkName(apiVersion, metadata) ?? checkTexts(metadata, "labels") ?? checkTexts(metadata, "annotations");
}

/** Whether an item of a list can be an object: what the list says of it may still be to come. */
export function couldBeTaken(item: JsonValue): boolean {
  return isJsonObject(item) && checkManifest({ apiVersion: "v1", kind: "Any", ...item }) === null;
}

function checkName(apiVersion: string, metadata: JsonObject): Refusal | null {
  const name = metadata["name"] ?? "";
  const namespace = metadata["namespace"] ?? "";
  if (typeof name !== "string") return refusal("BadName", "metadata.name is not a text; put it in quotes");
  if (name === "") {
    return isText(metadata["generateName"])
      ? refusal(
          "MissingName",
          "metadata.generateName names a new object at each apply; a mirrored object needs metadata.name",
        )
      : refusal("MissingName", "metadata.name is missing");
  }
  // Roles and bindings alone may be called like system:node; the API server only wants a segment of a path.
  const rbac = apiVersion.startsWith("rbac.authorization.k8s.io/");
  const good = rbac ? !/[/%\p{Cc}]/u.test(name) && name !== "." && name !== ".." : SUBDOMAIN.test(name);
  if (!good || name.length > 253) {
    return refusal(
      "BadName",
      `metadata.name ${quoted(name)} must be lower case letters, digits, '-' and '.' (RFC 1123)`,
    );
  }
  if (typeof namespace !== "string")
    return refusal("BadNamespace", "metadata.namespace is not a text; put it in quotes");
  if (namespace !== "" && (!LABEL.test(namespace) || namespace.length > 63)) {
    return refusal(
      "BadNamespace",
      `metadata.namespace ${quoted(namespace)} must be lower case letters, digits and '-' (RFC 1123)`,
    );
  }
  return null;
}

function checkTexts(metadata: JsonObject, field: "labels" | "annotations"): Refusal | null {
  const map = metadata[field];
  if (map === undefined || map === null) return null;
  const code = field === "labels" ? "BadLabels" : "BadAnnotations";
  if (!isJsonObject(map)) return refusal(code, `metadata.${field} is not a mapping`);
  for (const [key, value] of Object.entries(map)) {
    if (typeof value !== "string") {
      return refusal(
        code,
        `metadata.${field}[${quoted(key)}] is ${describe(value)} and must be a text; put it in quotes`,
      );
    }
  }
  return null;
}

function isText(value: JsonValue | undefined): value is string {
  return typeof value === "string" && value !== "";
}

function describe(value: JsonValue): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return isJsonObject(value) ? "a mapping" : typeof value === "boolean" ? "a boolean" : "a number";
}

/** Of somebody's text no more than a line has room for. */
function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text);
}

function refusal(code: string, message: string): Refusal {
  return { code, message };
}
