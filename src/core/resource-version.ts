const DECIMAL = /^[1-9][0-9]*$/;

/**
 * Compares two resourceVersions of one resource type as KEP-5504 allows: as decimal integers of any length, without leading
 * zeros. Gives a negative number, 0 or a positive number; `undefined` when either text is not such an integer (a resourceVersion
 * of an extension API server may be opaque, '' is "not known") and they are not equal.
 */
export function compareResourceVersions(a: string, b: string): number | undefined {
  if (a === b) return 0;
  if (!DECIMAL.test(a) || !DECIMAL.test(b)) return undefined;
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : 1;
}
