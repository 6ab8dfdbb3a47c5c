import { Agent, ProxyAgent, request } from "undici";
import type { FabricSyncError } from "../../../core/errors.ts";
import type { GitCredentials } from "./credentials.ts";
import type { GitHost } from "./environment.ts";
import type { GitResult } from "./process.ts";
import { gitError } from "./transport-errors.ts";
import type { GitErrorCode } from "./transport-errors.ts";

/** ms. The question is asked only after git has failed; a server that is slow now must not hold the schedule up. */
const PROBE_TIMEOUT_MS = 5_000;

/**
 * Why git's exchange with the server failed. git itself exits with 128 whatever happened, so for https the first request of the protocol
 * is made once more, and its status or socket error is the fact. For ssh there is only ssh's text; it chooses the reason and nothing else.
 */
export async function diagnose(
  host: GitHost,
  url: string,
  credentials: GitCredentials,
  result: GitResult,
): Promise<FabricSyncError> {
  if (!url.startsWith("https://")) return diagnoseSsh(result.stderr);
  const dispatcher = dispatcherFor(host, url, credentials);
  try {
    const answer = await request(`${url.replace(/\/+$/, "")}/info/refs?service=git-upload-pack`, {
      dispatcher,
      headers: { "user-agent": "git/fabric-sync", ...authorization(credentials) },
      headersTimeout: PROBE_TIMEOUT_MS,
      bodyTimeout: PROBE_TIMEOUT_MS,
      signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
    });
    answer.body.on("error", () => undefined).destroy();
    return fromStatus(answer.statusCode, credentials, retryAfterMs(answer.headers["retry-after"]));
  } catch (error) {
    return fromSocketError(error, "Git server");
  } finally {
    await dispatcher.destroy();
  }
}

/** Longest wait that a server may ask for (ms). */
const LONGEST_WAIT_MS = 3_600_000;

/** `Retry-After` (RFC 9110, 10.2.3) in ms; null where it says nothing. */
export function retryAfterMs(header: string | string[] | undefined): number | null {
  const text = (Array.isArray(header) ? header[0] : header)?.trim() ?? "";
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.now();
  return Number.isNaN(ms) ? null : Math.min(Math.max(ms, 0), LONGEST_WAIT_MS);
}

function fromStatus(status: number, credentials: GitCredentials, later: number | null): FabricSyncError {
  const when = later === null ? "later" : `in ${Math.ceil(later / 1_000)} s`;
  const options = later === null ? {} : { context: { retryAfterMs: later } };
  const given = credentials.password !== undefined || credentials.bearerToken !== undefined;
  if (status === 401) {
    return given
      ? gitError("AuthFailed", "the Git server refused the credentials (401)")
      : gitError("AuthFailed", "the Git server asks for credentials (401); name a Secret in secretRef");
  }
  if (status === 403) return gitError("AuthFailed", "the Git server forbids reading this repository (403)");
  if (status === 404 || status === 410) {
    return gitError(
      "RepositoryNotFound",
      `the Git server knows no such repository, or hides it from these credentials (${status})`,
    );
  }
  if (status === 429) return gitError("RateLimited", `the Git server asks us to come back ${when} (429)`, options);
  if (status >= 500) return gitError("ServerError", `the Git server failed (${status})`, options);
  if (status >= 300 && status < 400) {
    return gitError(
      "Redirected",
      `the Git server redirects (${status}), and redirects are not followed; use the final URL`,
    );
  }
  return gitError("TransportFailed", "the exchange with the Git server broke off");
}

/** @param who what was asked, for the message. */
export function fromSocketError(error: unknown, who: "Git server" | "GitHub API"): FabricSyncError {
  const code = errorCode(error);
  const options = { cause: error };
  if (CERTIFICATE.test(code)) {
    return gitError(
      "CertificateRejected",
      `the ${who}'s certificate is not accepted (${code}); ca.crt in the Secret can name its authority`,
      options,
    );
  }
  if (/TIMEOUT|ABORT/.test(code)) return gitError("Timeout", `the ${who} does not answer`, options);
  return gitError("Unreachable", `the ${who} cannot be reached (${code === "" ? "no answer" : code})`, options);
}

/** OpenSSL's verification errors as Node names them. */
const CERTIFICATE = /CERT|^UNABLE_TO_|SELF_SIGNED|ALTNAME|_CRL|HOSTNAME_MISMATCH|INVALID_CA|^ERR_SSL|^EPROTO/;

/** Looked for along the causes; by shape, as errors of undici's sockets need not be instances of this realm's Error. */
function errorCode(error: unknown): string {
  let at: unknown = error;
  for (let depth = 0; depth < 5 && typeof at === "object" && at !== null; depth += 1) {
    const { code, name, cause } = at as { code?: unknown; name?: unknown; cause?: unknown };
    if (typeof code === "string") return code;
    if (name === "TimeoutError" || name === "AbortError") return "TIMEOUT";
    at = cause;
  }
  return "";
}

function authorization(credentials: GitCredentials): Record<string, string> {
  if (credentials.bearerToken !== undefined) return { authorization: `Bearer ${credentials.bearerToken}` };
  if (credentials.username === undefined || credentials.password === undefined) return {};
  const pair = Buffer.from(`${credentials.username}:${credentials.password}`).toString("base64");
  return { authorization: `Basic ${pair}` };
}

/** Trusts and goes through what git does. */
export function dispatcherFor(host: GitHost, url: string, credentials: GitCredentials): Agent | ProxyAgent {
  const tls = credentials.caCrt === undefined ? {} : { ca: credentials.caCrt };
  const connect = { ...tls, timeout: PROBE_TIMEOUT_MS };
  const direct = host.httpsProxy === "" || isExcepted(new URL(url).hostname, host.noProxy);
  return direct ? new Agent({ connect }) : new ProxyAgent({ uri: host.httpsProxy, requestTls: connect });
}

function isExcepted(hostname: string, noProxy: string): boolean {
  return noProxy
    .split(",")
    .map((entry) => entry.trim().replace(/^\*?\./, ""))
    .some((entry) => entry === "*" || (entry !== "" && (hostname === entry || hostname.endsWith(`.${entry}`))));
}

const SSH_REASONS: readonly (readonly [RegExp, GitErrorCode, string])[] = [
  [
    /Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED/,
    "HostKeyRejected",
    "the ssh host key is not the one in known_hosts",
  ],
  [/Permission denied|error in libcrypto|invalid format/, "AuthFailed", "the Git server refused the ssh key"],
  [
    /not appear to be a git repository|[Rr]epository .*not found|does not exist/,
    "RepositoryNotFound",
    "the Git server knows no such repository",
  ],
  [
    /Could not resolve hostname|Connection (refused|timed out|reset|closed)|No route|unreachable/,
    "Unreachable",
    "the Git server cannot be reached",
  ],
];

function diagnoseSsh(stderr: string): FabricSyncError {
  for (const [text, code, message] of SSH_REASONS) if (text.test(stderr)) return gitError(code, message);
  return gitError("TransportFailed", "the exchange with the Git server over ssh broke off");
}
