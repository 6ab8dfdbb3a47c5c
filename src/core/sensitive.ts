/**
 * Which field names hold secrets, by the words they end in. Names are compared in lower case without `-`, `_` and `.`, after the last
 * `/`; so `bearerToken`, `BEARER_TOKEN` and `example.com/bearer-token` are one name.
 *
 * The end of the name decides, because the rest of it qualifies: `joinToken` is a token, `tokenTTL` is a time, `passwordFile` a path,
 * `secretName` and `secretRef` say where a secret is kept. A word too many costs a reader one value; a word too few puts a password into a
 * database and its backups: when in doubt the list grows.
 */
const SENSITIVE =
  /(?:password|passwd|passphrase|pwd|token|secret|credential|apikey|privatekey|accesskey|secretkey|sharedkey|signingkey|encryptionkey|masterkey|accountkey|licensekey|hmackey|authkey|md5key|sshkey|tlskey|authorizedkey|kubeconfig|htpasswd|dockerconfigjson|dockercfg|snmpcommunity|communitystring|connectionstring)s?$|(?:password|passwd|token|secret)(?:value|hash|data|text|plain|base64|b64)s?$|(?:password|passwd|token|secret)\d+$|pem$|^(?:pass|psk|authorization|sshkeys|auth)$/;

/** Names that end like a secret and hold the name of a Secret or a setting. */
const INNOCENT =
  /^(?:existingsecret|imagepullsecrets?|pullsecret|tlssecret|serviceaccounttoken|automountserviceaccounttoken)$/;

/**
 * Fields by which an object below a sensitive name points to a secret instead of holding it:
 * `password: {valueFrom: {secretKeyRef: {name, key}}}`, `secret: {secretName, items: [{key, path, mode}]}`.
 */
const POINTS_TO_SECRET = new Set([
  "name",
  "namespace",
  "key",
  "kind",
  "apiVersion",
  "apiGroup",
  "group",
  "optional",
  "secretName",
  "defaultMode",
  "mode",
  "path",
  "audience",
  "expirationSeconds",
  "username",
  "user",
  "type",
]);

/** A quick look that most names fail, so that the long expression runs for few. */
const MAYBE = /pass|pwd|token|secret|cred|key|pem|auth|psk|kubeconfig|docker|community|connection/i;

/** Whether a field of this name holds a secret. */
export function isSensitiveName(name: string): boolean {
  if (!MAYBE.test(name)) return false;
  const plain = name
    .slice(name.lastIndexOf("/") + 1)
    .replace(/[-_.]/g, "")
    .toLowerCase();
  return SENSITIVE.test(plain) && !INNOCENT.test(plain);
}

/** Whether a field below a sensitive one names a place and not a secret. */
export function pointsToSecret(name: string): boolean {
  return POINTS_TO_SECRET.has(name);
}
