import { gitError } from "./transport-errors.ts";

/** What a Secret holds for a repository, under the key names that Flux users know. Texts, decoded from base64. */
export interface GitCredentials {
  /** https: any name the host accepts, where the password is a token. */
  readonly username?: string;
  /** https: password or token. */
  readonly password?: string;
  /** https: sent as `Authorization: Bearer`. */
  readonly bearerToken?: string;
  /** https: asked for a token at each need; see `github-app.ts`. */
  readonly githubApp?: GitHubApp;
  /** https: PEM of the authority to trust instead of the system's. */
  readonly caCrt?: string;
  /** ssh: private key without passphrase. */
  readonly identity?: string;
  /** ssh: lines as in ~/.ssh/known_hosts. */
  readonly knownHosts?: string;
}

/** A GitHub App's installation; texts that are missing in the Secret are ''. */
export interface GitHubApp {
  readonly appId: string;
  readonly installationId: string;
  readonly privateKey: string;
  /** '' for github.com. */
  readonly baseUrl: string;
}

/** Secret key → field. */
const SECRET_KEYS = {
  username: "username",
  password: "password",
  bearerToken: "bearerToken",
  "ca.crt": "caCrt",
  caFile: "caCrt",
  identity: "identity",
  known_hosts: "knownHosts",
} as const satisfies Record<string, Exclude<keyof GitCredentials, "githubApp">>;

/** Picks the credentials out of a Secret's decoded data; other keys are left alone. */
export function credentialsFromSecret(data: Readonly<Record<string, string>>): GitCredentials {
  const found: { -readonly [K in (typeof SECRET_KEYS)[keyof typeof SECRET_KEYS]]?: string } = {};
  for (const [key, field] of Object.entries(SECRET_KEYS)) {
    const value = data[key];
    if (value !== undefined && value !== "") found[field] ??= value;
  }
  const app = ["githubAppID", "githubAppInstallationID", "githubAppPrivateKey", "githubAppBaseURL"];
  const [appId = "", installationId = "", privateKey = "", baseUrl = ""] = app.map((key) => data[key]?.trim());
  if (appId + installationId + privateKey === "") return found;
  return { ...found, githubApp: { appId, installationId, privateKey, baseUrl } };
}

/**
 * Whether these credentials can serve the URL.
 * @throws FabricSyncError `InvalidUrl` or `InvalidCredentials` (stall), with what is missing.
 */
export function checkCredentials(url: string, credentials: GitCredentials): void {
  const scheme = /^(https|ssh):\/\//.exec(url)?.[1];
  if (scheme === undefined) throw gitError("InvalidUrl", "the repository's URL must begin with https:// or ssh://");
  if (/^https:\/\/[^/]*@/.test(url) || /^ssh:\/\/[^/@]*:[^/]*@/.test(url)) {
    throw gitError("InvalidUrl", "the repository's URL must not hold credentials; use secretRef");
  }
  if (/^(https|ssh):\/\/([^/]*@)?-/.test(url)) throw gitError("InvalidUrl", "the host must not begin with a dash");
  for (const value of [credentials.username, credentials.password, credentials.bearerToken]) {
    if (value !== undefined && /[\r\n\0]/.test(value)) {
      throw gitError("InvalidCredentials", "username, password and bearerToken must be single lines");
    }
  }
  if (scheme === "https") {
    if ((credentials.username === undefined) !== (credentials.password === undefined)) {
      throw gitError("InvalidCredentials", "an https Secret needs username and password together, or bearerToken");
    }
    return;
  }
  if (credentials.knownHosts === undefined) {
    throw gitError(
      "InvalidCredentials",
      "an ssh repository needs known_hosts in its Secret: host keys are always checked",
    );
  }
  if (credentials.identity === undefined) {
    throw gitError("InvalidCredentials", "an ssh repository needs identity (a private key) in its Secret");
  }
}
