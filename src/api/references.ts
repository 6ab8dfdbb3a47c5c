import { z } from "zod";
import { described, matches } from "./schema.ts";

/** RFC 1123 subdomain, the names of most Kubernetes objects. */
export const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
/** RFC 1123 label, the names of namespaces. */
export const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

const secretName = described(z.string().max(253), "Name of a Secret in the Fabric's own namespace.", [
  matches(
    SUBDOMAIN,
    "name must be the name of a Secret in the Fabric's namespace (lower case letters, digits, '-' and '.')",
  ),
]);

/** A Secret in the Fabric's namespace. It is read by `get` when it is needed and never kept. */
export function secretReference(description: string) {
  return described(z.object({ name: secretName }), description);
}

/** One key of a Secret in the Fabric's namespace. */
export function secretKeyReference(description: string, defaultKey: string) {
  return described(
    z.object({
      name: secretName,
      key: described(z.string().max(253), "Key of the Secret's data that holds the value.", [
        matches(/^[-._a-zA-Z0-9]+$/, "key must be a key of the Secret's data (letters, digits, '-', '_' and '.')"),
      ]).default(defaultKey),
    }),
    description,
  );
}
