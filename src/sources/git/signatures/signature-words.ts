/** How gpg's status lines (`doc/DETAILS` of GnuPG) are told, the first that is there. `$key` and `$who` are what follows the word. */
const GPG: readonly (readonly [word: string, text: string])[] = [
  ["REVKEYSIG", "is signed by the revoked key $key$who"],
  ["EXPKEYSIG", "is signed by the expired key $key$who"],
  ["EXPSIG", "has a signature of key $key$who that has expired"],
  ["BADSIG", "was changed after key $key$who signed it"],
  ["NO_PUBKEY", "is signed by key $key, which is not in $secret"],
  ["ERRSIG", "has a signature by key $key that cannot be checked"],
];

/**
 * What git, gpg and ssh-keygen said of a signature that was refused, as the end of a sentence. Names that came with a key are foreign text:
 * shortened, and without control characters.
 */
export function describeSignature(output: string, secret: string): string {
  for (const [word, text] of GPG) {
    const match = new RegExp(`^\\[GNUPG:\\] ${word} ([0-9A-Fa-f]{8,64})(?: (.*))?$`, "m").exec(output);
    if (!match) continue;
    const named = word.endsWith("SIG") && word !== "ERRSIG" ? (match[2] ?? "").replace(/[\p{Cc}\p{Cf}]/gu, "") : "";
    const who = named === "" ? "" : ` (${named.slice(0, 100)})`;
    return text
      .replace("$key", () => match[1] ?? "")
      .replace("$who", () => who)
      .replace("$secret", () => secret);
  }
  const key = /\b(SHA256:[A-Za-z0-9+/=]{43,})/.exec(output)?.[1];
  if (/revoked/i.test(output)) return `is signed by a revoked ssh key${key === undefined ? "" : ` (${key})`}`;
  if (key !== undefined) return `is signed by ssh key ${key}, which is not, or not at that time, in ${secret}`;
  return `has a signature that does not verify with the keys in ${secret}`;
}
