import { createHash, createHmac, timingSafeEqual } from "node:crypto";

/** Hash functions that a signature may name; older ones are not accepted. */
export type HashName = "sha256" | "sha384" | "sha512";

/** HMAC (RFC 2104) of the raw bytes, in hex. */
export function hmacHex(hash: HashName, secret: string | Buffer, body: Buffer): string {
  return createHmac(hash, secret).update(body).digest("hex");
}

/** Whether two texts are equal, in a time that depends on neither: both are hashed first, so that lengths are equal too. */
export function equalTexts(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

/** Whether `expected` holds for any secret. All are tried, so that the time does not tell which one it was. */
export function anySecret(secrets: readonly string[], expected: (secret: string) => boolean): boolean {
  let found = false;
  for (const secret of secrets) found = expected(secret) || found;
  return found;
}

/** The usual form: a header that holds `prefix` and the hex HMAC-SHA-256 of the body. */
export function signedHex(given: string, prefix: string, secrets: readonly string[], body: Buffer): boolean {
  return anySecret(secrets, (secret) => equalTexts(given.toLowerCase(), prefix + hmacHex("sha256", secret, body)));
}
