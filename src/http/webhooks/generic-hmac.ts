import { header } from "./provider.ts";
import type { Provider } from "./provider.ts";
import { anySecret, equalTexts, hmacHex } from "./signature.ts";
import type { HashName } from "./signature.ts";

/** Anything that can sign: `X-Signature: <sha256|sha384|sha512>=<hex HMAC of the body>`, as Flux's generic-hmac receiver takes it. */
export const genericHmac: Provider = {
  verify(delivery, secrets) {
    const given = header(delivery, "x-signature").toLowerCase();
    const named = /^(sha256|sha384|sha512)=/.exec(given)?.[1];
    const hash: HashName = named === "sha384" || named === "sha512" ? named : "sha256";
    return anySecret(secrets, (secret) => equalTexts(given, `${hash}=${hmacHex(hash, secret, delivery.body)}`));
  },
  event: () => "push",
};
