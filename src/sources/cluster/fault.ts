import { FabricSyncError, messageOf } from "../../core/errors.ts";
import { KubeApiError, KubeUnreachable } from "./api-error.ts";
import type { Fault, FaultKind } from "./reflector-state.ts";
import type { StreamSpec } from "./selection.ts";

/** A fault that a stream finds by itself. */
export class StreamFault extends FabricSyncError {
  readonly kind: FaultKind;

  constructor(kind: FaultKind, code: string, message: string) {
    super(code, "retry", message);
    this.kind = kind;
  }
}

/** What those get who wait for a stream that is no more. */
export function streamStopped(): StreamFault {
  return new StreamFault("refused", "StreamStopped", "the stream was stopped");
}

/** What a thrown error means for a reflector; null when it is no fault of the stream and must end it (`fatal`). */
export function classify(error: unknown, spec: StreamSpec): Fault | null {
  if (error instanceof FabricSyncError && error.policy === "fatal") return null;
  const code = error instanceof FabricSyncError ? error.code : "StreamFailed";
  const fault = { code, message: messageOf(error), retryAfterMs: null };
  if (error instanceof StreamFault) return { ...fault, kind: error.kind };
  if (error instanceof KubeUnreachable) return { ...fault, kind: error.tls ? "tls" : "network" };
  if (error instanceof KubeApiError) {
    const kind = kindOfStatus(error);
    const message =
      kind === "forbidden" ? `${missingRule(error, spec)}; the API server says: ${error.message}` : error.message;
    return { kind, code, message, retryAfterMs: error.retryAfterMs };
  }
  if (error instanceof FabricSyncError && error.code === "LineTooLong") return { ...fault, kind: "garbage" };
  if (error instanceof FabricSyncError) return { ...fault, kind: "store" };
  return { ...fault, kind: "network" };
}

function kindOfStatus({ status, reason }: KubeApiError): FaultKind {
  if (status === 410 || reason === "Expired" || reason === "Gone") return "expired";
  if (status === 401) return "unauthorized";
  if (status === 403) return "forbidden";
  if (status === 404) return "notFound";
  if (status === 400 || status === 422) return "unsupported";
  if (status === 429) return "throttled";
  return status >= 500 ? "server" : "refused";
}

/** The rule that a role lacks, in one line of YAML to paste. */
function missingRule(error: KubeApiError, spec: StreamSpec): string {
  if (error.resource === "serviceaccounts" || error.resource === "users") {
    return 'allow the operator to impersonate with the rule {apiGroups: [""], resources: [serviceaccounts], verbs: [impersonate]}';
  }
  const where = spec.namespace === "" ? "a ClusterRole" : `a Role in namespace ${spec.namespace}`;
  return `allow it in ${where} with the rule {apiGroups: ["${spec.group}"], resources: [${spec.plural}], verbs: [list, watch]}`;
}
