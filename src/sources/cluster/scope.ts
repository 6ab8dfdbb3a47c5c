/** A cursor's scope taken apart: `group/version/plural[?selector][@namespace]`. */
export interface Scope {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly labelSelector: string;
  readonly namespace: string;
}

const SCOPE = /^([^/]*)\/([^/]+)\/([^/?@]+)(?:\?([^@]*))?(?:@(.+))?$/;

/** null when the text is no scope of a cluster stream. */
export function parseScope(text: string): Scope | null {
  const match = SCOPE.exec(text);
  if (match === null) return null;
  const [, group = "", version = "", plural = "", labelSelector = "", namespace = ""] = match;
  return { group, version, plural, labelSelector, namespace };
}

/** The inverse of {@link parseScope}. */
export function formatScope({ group, version, plural, labelSelector, namespace }: Scope): string {
  const selector = labelSelector === "" ? "" : `?${labelSelector}`;
  return `${group}/${version}/${plural}${selector}${namespace === "" ? "" : `@${namespace}`}`;
}
