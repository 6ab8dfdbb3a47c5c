import { header, isFresh } from "./provider.ts";
import type { Provider } from "./provider.ts";
import { anySecret, equalTexts, hmacHex } from "./signature.ts";
import type { HashName } from "./signature.ts";

/**
 * Anything that can sign: `X-Signature: <sha256|sha384|sha512>=<hex HMAC of the body>`, as Flux's generic-hmac receiver takes it. With
 * `X-Signature-Timestamp` (seconds since the epoch) the HMAC is over the time, a dot and the body, and an old one is refused; a Fabric that
 * says `maxAge` demands it.
 */
export const genericHmac: Provider = {
  verify(delivery, secrets, now, maxAgeMs) {
    const given = header(delivery, "x-signature").toLowerCase();
    const named = /^(sha256|sha384|sha512)=/.exec(given)?.[1];
    const hash: HashName = named === "sha384" || named === "sha512" ? named : "sha256";
    const timestamp = header(delivery, "x-signature-timestamp");
    // A header that was left out or doubled is '', and then the signature must be over the body alone.
    const timed = timestamp !== "" || "x-signature-timestamp" in delivery.headers;
    const signed = timed ? Buffer.concat([Buffer.from(`${timestamp}.`), delivery.body]) : delivery.body;
    const fresh = timed ? isFresh(timestamp, now, maxAgeMs) : maxAgeMs === undefined;
    const authentic = anySecret(secrets, (secret) => equalTexts(given, `${hash}=${hmacHex(hash, secret, signed)}`));
    return fresh && authentic;
  },
  event: () => "push",
  // Without it, who always sends the same body would be heard once.
  signedWith: (delivery) => header(delivery, "x-signature-timestamp"),
};
