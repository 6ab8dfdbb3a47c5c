/**
 * What it means that the API server refused a dry run. Nothing is read out of the message: the same thing is tried in another way.
 *
 * | status        | tried                                                  | then                                        |
 * |---------------|--------------------------------------------------------|---------------------------------------------|
 * | 401, 429, 503 |                                                        | no answer: asked again later                |
 * | 403           | may this identity do it at all (SelfSubjectAccessReview) | no: unanswered, with the right to grant   |
 * | any           | a dry run that changes nothing, where the object is    | refused too: unanswered, it is not Git's fault |
 * | 500           | a dry run of creating the same                         | 400 or 422: refused, with its message       |
 * | 400, 403, 422 |                                                        | refused                                     |
 * | 400           | the object is not there: nothing to compare with       | unanswered                                  |
 * | other         |                                                        | unanswered                                  |
 */
import { isJsonObject } from "../../../core/json.ts";
import type { JsonObject } from "../../../core/json.ts";
import { redactText } from "../../../core/redact.ts";
import { KubeApiError } from "../api-error.ts";
import type { KubeClient } from "../client.ts";
import type { ObjectPath } from "./request-path.ts";

/** Of a `refused` or `unanswered` check. */
export interface RefusalAnswer {
  readonly outcome: "refused" | "unanswered";
  readonly code: string;
  readonly message: string;
}

export interface RefusedRequest {
  readonly client: Pick<KubeClient, "request">;
  readonly path: ObjectPath;
  readonly namespace: string;
  readonly name: string;
  /** Whether the object is in the cluster. */
  readonly there: boolean;
  readonly body: JsonObject;
  readonly withoutSecrets: boolean;
  readonly signal: AbortSignal;
}

/** Says nothing about what was asked; try again. */
const PASSING: ReadonlySet<number> = new Set([401, 408, 409, 429, 502, 503, 504]);

/**
 * @param error what the apply was answered with
 * @throws `error` itself, or what a further request met, when it is passing
 */
export async function meaningOf(error: unknown, request: RefusedRequest): Promise<RefusalAnswer> {
  if (!(error instanceof KubeApiError) || PASSING.has(error.status)) throw error;
  if (error.status === 403 && !(await isAllowed(request))) return unanswered("DryRunForbidden", grant(request));
  if (request.there) {
    const control = await refusalOf(request, "PATCH", request.path.object, "application/merge-patch+json", {});
    if (control !== null) return unanswered("DryRunUnavailable", error.message);
  }
  const verdict = await verdictOf(error, request);
  if (verdict.outcome === "refused" && request.withoutSecrets) {
    return unanswered("SecretsLeftOut", `refused without the secrets, which are not kept: ${verdict.message}`);
  }
  return verdict;
}

async function verdictOf(error: KubeApiError, request: RefusedRequest): Promise<RefusalAnswer> {
  const { status, message } = error;
  if (status === 422 || status === 403 || (status === 400 && request.there)) return refused(error);
  if (status === 500) {
    // What cannot be decoded is a 500 to an apply. Creating the same is decoded before it is found to exist already.
    const created = await refusalOf(request, "POST", request.path.collection, "application/json", request.body);
    if (created !== null && (created.status === 400 || created.status === 422)) return refused(created);
  }
  return unanswered(status === 404 ? "NotServed" : "DryRunFailed", message);
}

/** null when it was not refused. @throws what is passing */
async function refusalOf(
  { client, signal }: RefusedRequest,
  method: "PATCH" | "POST",
  path: string,
  contentType: string,
  body: JsonObject,
): Promise<KubeApiError | null> {
  try {
    await client.request(method, path, { query: { dryRun: "All" }, contentType, body, signal });
    return null;
  } catch (error) {
    if (!(error instanceof KubeApiError) || (PASSING.has(error.status) && error.status !== 409)) throw error;
    return error;
  }
}

async function isAllowed({ client, path, namespace, name, there, signal }: RefusedRequest): Promise<boolean> {
  const verbs = there ? ["patch"] : ["patch", "create"];
  for (const verb of verbs) {
    const resourceAttributes = { group: path.group, resource: path.plural, namespace, name, verb };
    const review = await client.request("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {
      body: { apiVersion: "authorization.k8s.io/v1", kind: "SelfSubjectAccessReview", spec: { resourceAttributes } },
      signal,
    });
    const status = isJsonObject(review) && isJsonObject(review["status"]) ? review["status"] : {};
    if (status["allowed"] !== true) return false;
  }
  return true;
}

function grant({ path }: RefusedRequest): string {
  return `the dry-run identity may not patch ${path.plural}: add to a ClusterRole with the label fabricsync.dev/aggregate-to-dry-run: "true" the rule {apiGroups: ["${path.group}"], resources: ["${path.plural}"], verbs: [get, create, patch]}`;
}

function refused({ code, message }: KubeApiError): RefusalAnswer {
  return { outcome: "refused", code, message: redactText(message) };
}

function unanswered(code: string, message: string): RefusalAnswer {
  return { outcome: "unanswered", code, message: redactText(message) };
}
