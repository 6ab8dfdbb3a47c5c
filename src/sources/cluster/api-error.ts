import { FabricSyncError } from "../../core/errors.ts";
import type { ErrorPolicy } from "../../core/errors.ts";
import { isJsonObject } from "../../core/json.ts";
import type { JsonValue } from "../../core/json.ts";

/**
 * An answer of the API server other than 2xx, or an ERROR event of a watch: both carry a `Status` object (meta/v1). `code` is
 * `Kube` and the status's reason where that is a plain word, so it is fit for a condition's reason.
 */
export class KubeApiError extends FabricSyncError {
  /** The HTTP status code, of the `Status` object where it has one. */
  readonly status: number;
  /** `Status.reason`: `NotFound`, `Expired`, `Conflict`, …; '' when the answer was not a `Status`. */
  readonly reason: string;
  /** Milliseconds after which the server wants to be asked again, null when it did not say. */
  readonly retryAfterMs: number | null;
  /** `Status.details.kind`: the resource (plural) that the answer is about; '' when it did not say. */
  readonly resource: string;

  constructor(
    status: number,
    reason: string,
    message: string,
    { retryAfterMs = null, where = "", resource = "" }: ApiErrorDetails = {},
  ) {
    super(codeOf(status, reason), policyOf(status), message, {
      context: { status, reason, ...(where === "" ? {} : { request: where }) },
    });
    this.status = status;
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
    this.resource = resource;
  }
}

interface ApiErrorDetails {
  readonly retryAfterMs?: number | null;
  /** Method and path of the request. */
  readonly where?: string;
  readonly resource?: string;
}

/** No answer came: name not found, connection refused or reset, TLS refused, timeout, an answer cut short. The message says which. */
export class KubeUnreachable extends FabricSyncError {
  /** The Node, OpenSSL or undici error code: `ECONNREFUSED`, `ENOTFOUND`, `CERT_HAS_EXPIRED`, `UND_ERR_SOCKET`, …; '' if none. */
  readonly causeCode: string;
  /** True when the server's certificate was not accepted: waiting does not help until somebody changes the CA or the server. */
  readonly tls: boolean;

  constructor(server: string, cause: unknown) {
    const code = errorCode(cause);
    const tls = isTlsRefusal(code);
    super(
      tls ? "KubeCertificateRefused" : "KubeUnreachable",
      tls ? "stall" : "wait",
      `${whatFailed(server, code)}${code === "" ? "" : ` (${code})`}`,
      { cause, context: { server, cause: code } },
    );
    this.causeCode = code;
    this.tls = tls;
  }
}

/** The typed error of a `Status` object or of a bare HTTP answer. `retryAfter`: the header's text, in seconds. */
export function statusError(
  httpStatus: number,
  body: JsonValue,
  retryAfter: string | undefined,
  where = "",
): KubeApiError {
  const status = isJsonObject(body) && body["kind"] === "Status" ? body : {};
  const code = typeof status["code"] === "number" ? status["code"] : httpStatus;
  const reason = typeof status["reason"] === "string" ? status["reason"] : "";
  const message = typeof status["message"] === "string" ? status["message"] : `the API server answered ${httpStatus}`;
  const details = isJsonObject(status["details"]) ? status["details"] : {};
  const resource = typeof details["kind"] === "string" ? details["kind"] : "";
  const wait = retryAfterMs(retryAfter, details["retryAfterSeconds"]);
  return new KubeApiError(code, reason, message, { retryAfterMs: wait, where, resource });
}

/** RFC 9110 section 10.2.3 allows a date too; API servers and their proxies send seconds. */
function retryAfterMs(header: string | undefined, seconds: JsonValue | undefined): number | null {
  if (header !== undefined && /^\d+$/.test(header)) return Number(header) * 1_000;
  return typeof seconds === "number" && seconds > 0 ? seconds * 1_000 : null;
}

function codeOf(status: number, reason: string): string {
  if (/^[A-Z][A-Za-z]*$/.test(reason)) return `Kube${reason}`;
  return `KubeStatus${status}`;
}

function policyOf(status: number): ErrorPolicy {
  if (status === 401 || status === 403) return "stall";
  if (status === 429 || status >= 500) return "wait";
  if (status === 409 || status === 410 || status === 408) return "retry";
  return "stall";
}

/** The first code in the chain of causes: a wrapper without one is looked through. */
function errorCode(error: unknown): string {
  let next: unknown = error;
  for (let depth = 0; depth < 5 && typeof next === "object" && next !== null; depth++) {
    const { code, cause } = next as { code?: unknown; cause?: unknown };
    if (typeof code === "string" && code !== "") return code;
    next = cause;
  }
  return "";
}

/** X.509 verification results of OpenSSL as Node names them, and Node's own host name check. */
const CERTIFICATE_CODES = new Set([
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "CERT_HAS_EXPIRED",
  "CERT_NOT_YET_VALID",
  "CERT_SIGNATURE_FAILURE",
  "CERT_UNTRUSTED",
  "CERT_REJECTED",
  "CERT_REVOKED",
  "CERT_CHAIN_TOO_LONG",
  "INVALID_CA",
  "INVALID_PURPOSE",
  "HOSTNAME_MISMATCH",
  "ERR_TLS_CERT_ALTNAME_INVALID",
]);

function whatFailed(server: string, code: string): string {
  if (isTlsRefusal(code)) return `the certificate of ${server} was not accepted`;
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return `the name of ${server} cannot be resolved`;
  if (code === "EPROTO" || code.startsWith("ERR_SSL_")) return `no TLS with ${server}`;
  return `no answer from ${server}`;
}

function isTlsRefusal(code: string): boolean {
  return CERTIFICATE_CODES.has(code);
}
