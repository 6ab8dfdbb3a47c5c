import type { ResourceKey } from "../../../core/identity.ts";
import type { Discovery } from "../discovery.ts";

/** Where an object is served. */
export interface ObjectPath {
  readonly group: string;
  readonly plural: string;
  readonly collection: string;
  readonly object: string;
}

/** null when the server does not serve the kind in this version. */
export function objectPath(key: ResourceKey, apiVersion: string, discovery: Discovery): ObjectPath | null {
  const version = apiVersion.slice(apiVersion.indexOf("/") + 1);
  const found = discovery.kinds.find(
    (one) => one.group === key.apiGroup && one.version === version && one.kind === key.kind,
  );
  if (found === undefined) return null;
  const base = key.apiGroup === "" ? `/api/${version}` : `/apis/${key.apiGroup}/${version}`;
  const namespace = found.namespaced ? `/namespaces/${encodeURIComponent(key.namespace)}` : "";
  const collection = `${base}${namespace}/${found.plural}`;
  return {
    group: key.apiGroup,
    plural: found.plural,
    collection,
    object: `${collection}/${encodeURIComponent(key.name)}`,
  };
}
