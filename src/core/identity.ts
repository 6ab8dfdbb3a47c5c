/** One Kubernetes object identity inside a fabric. `apiGroup` is '' for the core group, `namespace` '' for cluster scope. */
export interface ResourceKey {
  readonly fabricId: string;
  readonly apiGroup: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** A string that is equal for equal keys. No part may hold a NUL: the API server and the Git reader refuse such names. */
export function keyString(key: ResourceKey): string {
  return `${key.fabricId}\0${key.apiGroup}\0${key.kind}\0${key.namespace}\0${key.name}`;
}

/**
 * Byte order, the order of the key columns' collation "C". Every batch is locked and written in this order, so that two
 * writers cannot deadlock on each other.
 */
export function compareKeys(a: ResourceKey, b: ResourceKey): number {
  return (
    compareText(a.fabricId, b.fabricId) ||
    compareText(a.apiGroup, b.apiGroup) ||
    compareText(a.kind, b.kind) ||
    compareText(a.namespace, b.namespace) ||
    compareText(a.name, b.name)
  );
}

/** `Kind.group namespace/name`, for people. */
export function describeKey(key: Omit<ResourceKey, "fabricId">): string {
  const kind = key.apiGroup === "" ? key.kind : `${key.kind}.${key.apiGroup}`;
  return key.namespace === "" ? `${kind} ${key.name}` : `${kind} ${key.namespace}/${key.name}`;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
