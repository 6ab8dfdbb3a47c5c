const QUANTITY = /^([+-]?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3})|([numkMGTPE]|[KMGTPE]i)?)$/;
const DECIMAL_EXPONENT: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const BINARY_EXPONENT: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 };

/**
 * Whether two texts are the same Kubernetes quantity: `0.5` and `500m`, `1024Mi` and `1Gi`. The API server rewrites quantities into
 * their canonical form. False when one of them is not a quantity.
 */
export function sameQuantity(a: string, b: string): boolean {
  const first = parse(a);
  const second = parse(b);
  if (first === null || second === null) return false;
  const exponent = Math.min(first.exponent, second.exponent);
  return scaled(first, exponent) === scaled(second, exponent);
}

interface Quantity {
  readonly digits: bigint;
  /** Power of ten. */
  readonly exponent: number;
}

function parse(text: string): Quantity | null {
  const match = QUANTITY.exec(text);
  if (match === null) return null;
  const [, sign = "", whole = "", fraction = "", exponent = "0", suffix = ""] = match;
  const digits = BigInt(whole + fraction) * (sign === "-" ? -1n : 1n) * 2n ** BigInt(BINARY_EXPONENT[suffix] ?? 0);
  return { digits, exponent: Number(exponent) + (DECIMAL_EXPONENT[suffix] ?? 0) - fraction.length };
}

function scaled(quantity: Quantity, exponent: number): bigint {
  return quantity.digits * 10n ** BigInt(quantity.exponent - exponent);
}
