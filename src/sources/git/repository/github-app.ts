import { createHash, createPrivateKey, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { request } from "undici";
import type { FabricSyncError } from "../../../core/errors.ts";
import type { GitCredentials, GitHubApp } from "./credentials.ts";
import { dispatcherFor, fromSocketError, retryAfterMs } from "./diagnose.ts";
import type { GitHost } from "./environment.ts";
import { gitError } from "./transport-errors.ts";

interface Token {
  readonly value: string;
  /** ms since the epoch. */
  readonly expiresAt: number;
}

/** What GitHub's own documentation says: a JWT lives for 10 minutes at most, and its clock may be a little behind ours. */
const JWT_SECONDS = 540;
const CLOCK_SKEW_SECONDS = 60;
/** ms before its end in which a token is not used any more: longer than an exchange may take is left to it. Tokens live for an hour. */
const MARGIN_MS = 15 * 60_000;
/** Bytes of an answer; a token's has some 500. */
const MAX_ANSWER_BYTES = 64 * 1024;
const PUBLIC_API = "https://api.github.com";

/**
 * Installation tokens of GitHub Apps (docs.github.com, "Generating an installation access token for a GitHub App"): the app's private key
 * signs a JWT, the API gives a token for it that may read contents and nothing else. Kept in memory until shortly before its end, under a
 * digest of what it was made with, so that a rotated key asks anew.
 */
export class InstallationTokens {
  readonly #host: GitHost;
  readonly #now: () => number;
  readonly #tokens = new Map<string, Promise<Token>>();

  constructor(host: GitHost, now: () => number = Date.now) {
    this.#host = host;
    this.#now = now;
  }

  /** The credentials as git needs them: those of an app become a user name and a token, all others stay as they are. */
  async lend(url: string, given: GitCredentials, timeoutMs: number, signal: AbortSignal): Promise<GitCredentials> {
    const { githubApp: app, ...credentials } = given;
    if (app === undefined) return given;
    const api = checkApp(url, app, credentials);
    const id = idOf(app);
    const known = await this.#tokens.get(id)?.catch(() => undefined);
    if (known === undefined || known.expiresAt - MARGIN_MS <= this.#now()) {
      const asking = this.#ask(api, app, credentials, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]));
      this.#tokens.set(id, asking);
      asking.catch(() => this.#tokens.get(id) === asking && this.#tokens.delete(id));
    }
    const token = await this.#tokens.get(id);
    return { ...credentials, username: "x-access-token", password: token?.value ?? "" };
  }

  /** The Git server refused what was lent: the app may have been given other rights since. */
  forget({ githubApp }: GitCredentials): void {
    if (githubApp !== undefined) this.#tokens.delete(idOf(githubApp));
  }

  async #ask(api: URL, app: GitHubApp, credentials: GitCredentials, signal: AbortSignal): Promise<Token> {
    const jwt = makeJwt(app, this.#now());
    const dispatcher = dispatcherFor(this.#host, api.href, credentials);
    try {
      const answer = await request(
        `${api.href.replace(/\/+$/, "")}/app/installations/${app.installationId}/access_tokens`,
        {
          dispatcher,
          method: "POST",
          headers: {
            accept: "application/vnd.github+json",
            "content-type": "application/json",
            "user-agent": "fabric-sync",
            "x-github-api-version": "2022-11-28",
            authorization: `Bearer ${jwt}`,
          },
          body: JSON.stringify({ permissions: { contents: "read" } }),
          signal,
        },
      );
      const pieces: Buffer[] = [];
      let size = 0;
      for await (const piece of answer.body as AsyncIterable<Buffer>) {
        size += piece.length;
        if (size > MAX_ANSWER_BYTES) throw gitError("TransportFailed", "the GitHub API's answer is too long");
        pieces.push(piece);
      }
      if (answer.statusCode !== 201) throw refusal(answer.statusCode, answer.headers["retry-after"]);
      return readToken(Buffer.concat(pieces).toString("utf8"));
    } catch (error) {
      throw isGitError(error) ? error : fromSocketError(error, "GitHub API");
    } finally {
      await dispatcher.destroy();
    }
  }
}

/** @throws FabricSyncError `InvalidCredentials` with what is missing or wrong. */
function checkApp(url: string, app: GitHubApp, { username, bearerToken }: GitCredentials): URL {
  const wrong = (message: string): FabricSyncError => gitError("InvalidCredentials", message);
  if (username !== undefined || bearerToken !== undefined) {
    throw wrong("the Secret holds a GitHub App and a user name or token; leave one of them out");
  }
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(app.appId)) throw wrong("a GitHub App needs githubAppID in its Secret");
  if (!/^\d{1,20}$/.test(app.installationId)) {
    throw wrong("a GitHub App needs githubAppInstallationID, a number, in its Secret");
  }
  if (app.privateKey === "") throw wrong("a GitHub App needs githubAppPrivateKey in its Secret");
  const base = app.baseUrl === "" ? PUBLIC_API : app.baseUrl;
  if (!URL.canParse(base) || !/^https:\/\/[^/@?#]+(\/[^@?#]*)?$/.test(base)) {
    throw wrong(
      "githubAppBaseURL must be an https:// address without credentials, like https://github.example.com/api/v3",
    );
  }
  const api = new URL(base);
  const git = URL.canParse(url) ? new URL(url) : null;
  // Else whoever may edit a Fabric could have the token sent to a host of theirs.
  if (git?.protocol !== "https:" || (api.hostname !== git.hostname && api.hostname !== `api.${git.hostname}`)) {
    throw wrong(
      `a token of the GitHub App at ${api.hostname} is not sent to another host; the URL must be https there`,
    );
  }
  return api;
}

function makeJwt(app: GitHubApp, now: number): string {
  let key: KeyObject;
  try {
    key = createPrivateKey(app.privateKey);
  } catch (error) {
    throw gitError("InvalidCredentials", "githubAppPrivateKey is no private key in PEM", { cause: error });
  }
  if (key.asymmetricKeyType !== "rsa") throw gitError("InvalidCredentials", "githubAppPrivateKey is no RSA key");
  const seconds = Math.floor(now / 1_000);
  const claims = { iat: seconds - CLOCK_SKEW_SECONDS, exp: seconds + JWT_SECONDS, iss: app.appId };
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const text = `${encode({ alg: "RS256", typ: "JWT" })}.${encode(claims)}`;
  return `${text}.${sign("RSA-SHA256", Buffer.from(text), key).toString("base64url")}`;
}

function refusal(status: number, retryAfter: string | string[] | undefined): FabricSyncError {
  const later = retryAfterMs(retryAfter);
  if (status === 429 || (status === 403 && later !== null)) {
    const context = later === null ? {} : { retryAfterMs: later };
    return gitError("RateLimited", `the GitHub API asks us to come back later (${status})`, { context });
  }
  switch (status) {
    case 401:
      return gitError(
        "AuthFailed",
        "GitHub refused the app's key: githubAppID and githubAppPrivateKey do not fit (401)",
      );
    case 403:
      return gitError("AuthFailed", "GitHub forbids the app to make a token: its installation is suspended (403)");
    case 404:
      return gitError("AuthFailed", "GitHub knows no such installation of the app: see githubAppInstallationID (404)");
    case 422:
      return gitError("AuthFailed", "the GitHub App may not read contents; grant it that permission (422)");
    default:
      return status >= 500
        ? gitError("ServerError", `the GitHub API failed (${status})`)
        : gitError("TransportFailed", `the GitHub API answered ${status} where a token was asked for`);
  }
}

function readToken(text: string): Token {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch (error) {
    throw gitError("TransportFailed", "the GitHub API's answer is no JSON", { cause: error });
  }
  if (typeof answer === "object" && answer !== null && "token" in answer && "expires_at" in answer) {
    const { token, expires_at: end } = answer;
    const expiresAt = typeof end === "string" ? Date.parse(end) : NaN;
    if (typeof token === "string" && /^[\x21-\x7e]{1,1024}$/.test(token) && !Number.isNaN(expiresAt)) {
      return { value: token, expiresAt };
    }
  }
  throw gitError("TransportFailed", "the GitHub API's answer holds no token");
}

function isGitError(error: unknown): error is FabricSyncError {
  return error instanceof Error && "policy" in error;
}

function idOf({ appId, installationId, privateKey, baseUrl }: GitHubApp): string {
  return createHash("sha256")
    .update(JSON.stringify([appId, installationId, privateKey, baseUrl]))
    .digest("hex");
}
