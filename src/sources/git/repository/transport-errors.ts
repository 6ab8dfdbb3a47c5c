import { FabricSyncError } from "../../../core/errors.ts";
import type { ErrorPolicy } from "../../../core/errors.ts";

/**
 * What can go wrong between us and a Git server, and what becomes of it. Every failure keeps the rows, and the repository is asked again
 * on the same schedule whatever its code: a wrong reason costs a misleading condition and nothing else. `stall` only says that a person
 * must act before asking again can succeed.
 */
const POLICIES = {
  /** The server refused the credentials, or wants some: 401, 403, or ssh publickey. */
  AuthFailed: "stall",
  /** The Secret does not hold what the URL's scheme needs. */
  InvalidCredentials: "stall",
  /** The ssh host key is not in known_hosts, or is another one. */
  HostKeyRejected: "stall",
  /** The server's certificate is not signed by an authority that we were given, or is for another name. */
  CertificateRejected: "stall",
  /** 404. Hosts answer so for private repositories as well. */
  RepositoryNotFound: "stall",
  /** The server answers, but has no such branch, tag, version or commit. */
  RefNotFound: "stall",
  /** Not https:// or ssh://, or with credentials in it. */
  InvalidUrl: "stall",
  /** The server sends us elsewhere; redirects are not followed, for the credentials would be. */
  Redirected: "stall",
  /** The tree exceeds the Fabric's limits. */
  LimitExceeded: "stall",
  /** The revision has no folder `spec.git.path`. */
  PathNotFound: "stall",
  /** The revision would retire more than the Fabric allows without its word. */
  EmptyingRefused: "stall",
  /** The revision is not signed as `spec.git.verify` asks, or by nobody whom it names. */
  VerificationFailed: "stall",
  /** The program that checks such signatures is not installed. */
  VerificationUnavailable: "wait",
  /** The cached repositories take all the room that they may. */
  CacheFull: "wait",
  /** DNS, connect, reset. */
  Unreachable: "wait",
  /** 429, with what the server said about when. */
  RateLimited: "wait",
  /** 5xx. */
  ServerError: "wait",
  /** No answer within `spec.git.timeout`; the process group was killed. */
  Timeout: "wait",
  /** A broken pack, or objects that are missing or damaged in the cache: it is thrown away and fetched again. */
  RepositoryCorrupt: "retry",
  /** The exchange failed and neither the exit code nor the server's own answer says why. */
  TransportFailed: "retry",
  /** Git is not installed, or cannot run. */
  GitUnavailable: "wait",
  /** We are stopping. */
  Aborted: "wait",
} as const satisfies Record<string, ErrorPolicy>;

export type GitErrorCode = keyof typeof POLICIES;

/** An error of the Git side, with the policy of its code. `message` is fit for a condition: no credentials, no foreign text. */
export function gitError(
  code: GitErrorCode,
  message: string,
  options: { cause?: unknown; context?: Record<string, number> } = {},
): FabricSyncError {
  return new FabricSyncError(code, POLICIES[code], message, options);
}
