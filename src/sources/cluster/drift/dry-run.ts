/**
 * One suspect, one answer. Everything here is a GET or carries `dryRun=All`.
 *
 * 1. Git's side is applied, with force: conflicts are not asked about, what would come of it is.
 * 2. The answer is compared with the object of the same resourceVersion, at the paths that differ locally.
 * 3. What Git does not declare any more, or declares null, is taken out: what comes back by itself (a default, a webhook's addition) is no
 *    drift.
 */
import type { Check, CheckedPath } from "../../../core/check.ts";
import type { Difference } from "../../../core/difference.ts";
import { declaredDocument, differencesOf, knowledgeOf } from "../../../core/differences.ts";
import { questionOf } from "../../../core/drift.ts";
import { documentOf, lookUp, schemaOf, specRoot } from "../../../core/document.ts";
import { isJsonObject, sameJson } from "../../../core/json.ts";
import type { JsonObject, JsonValue } from "../../../core/json.ts";
import { normaliseActual } from "../../../core/normalise.ts";
import { pointer } from "../../../core/pointer.ts";
import type { ReducePolicy } from "../../../core/policy.ts";
import { isThere } from "../../../core/resource-row.ts";
import type { ResourceRow } from "../../../core/row.ts";
import type { KindSchema } from "../../../core/schema.ts";
import { readSyncMetadata } from "../../../core/sync-metadata.ts";
import { KubeApiError } from "../api-error.ts";
import type { KubeClient } from "../client.ts";
import type { Discovery } from "../discovery.ts";
import { applyBody, yamlSafeJson } from "./apply-body.ts";
import { confirmed, everyLeaf } from "./compare-would.ts";
import { meaningOf } from "./refusal.ts";
import type { RefusalAnswer } from "./refusal.ts";
import { objectPath } from "./request-path.ts";
import type { ObjectPath } from "./request-path.ts";

/** Never seen in the cluster: nothing that is written under it stays. */
const FIELD_MANAGER = "fabric-sync-dry-run";
/** Fields that the server does not know are not sent; to look for them a second time only costs. */
const NO_WARNINGS = { fieldValidation: "Ignore" };
/** How often the object is read anew while it changes under our hands. */
const ATTEMPTS = 3;
/** A refusal may rest on other objects (a namespace, what a webhook looks up): it is asked about again after so long (ms). */
const REFUSED_AGAIN_MS = 5 * 60_000;
/** What could not be answered, the same (ms). */
const UNANSWERED_AGAIN_MS = 60_000;

export interface DryRunOptions {
  readonly client: Pick<KubeClient, "request">;
  readonly discovery: Discovery;
  /** ms since the epoch */
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/**
 * Asks about one row. null when the object in the cluster is not the row's any more: the watch will tell.
 * @throws KubeApiError, KubeUnreachable when nothing was answered (throttled, away): ask again later.
 */
export async function ask(row: ResourceRow, policy: ReducePolicy, options: DryRunOptions): Promise<Check | null> {
  const question = new Question(row, policy, options);
  const answer = await question.answer();
  if (answer === null) return null;
  const waitMs =
    answer.outcome === "refused" ? REFUSED_AGAIN_MS : answer.outcome === "unanswered" ? UNANSWERED_AGAIN_MS : 0;
  const now = options.now();
  return {
    key: questionOf(row, policy),
    at: new Date(now).toISOString(),
    again: waitMs === 0 ? "" : new Date(now + waitMs).toISOString(),
    ...answer,
  };
}

type Answer = Pick<Check, "outcome" | "code" | "message" | "paths">;

interface Seen {
  readonly document: JsonObject;
  readonly resourceVersion: string;
}

class Question {
  readonly #row: ResourceRow;
  readonly #policy: ReducePolicy;
  readonly #options: DryRunOptions;
  readonly #apiVersion: string;
  readonly #sameVersion: boolean;
  readonly #kind: KindSchema | null;
  readonly #root: readonly string[];

  constructor(row: ResourceRow, policy: ReducePolicy, options: DryRunOptions) {
    const { desiredApiVersion } = readSyncMetadata(row.syncMetadata);
    this.#row = row;
    this.#policy = policy;
    this.#options = options;
    this.#apiVersion = desiredApiVersion === "" ? row.apiVersion : desiredApiVersion;
    this.#sameVersion = this.#apiVersion === row.apiVersion;
    this.#kind = policy.schemas?.of(this.#apiVersion, row.kind) ?? null;
    this.#root = specRoot(this.#kind, row);
  }

  async answer(): Promise<Answer | null> {
    const path = objectPath(this.#row, this.#apiVersion, this.#options.discovery);
    if (path === null)
      return unanswered("NotServed", `the server does not serve ${this.#row.kind} in ${this.#apiVersion}`);
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const would = await this.#apply(path);
      if ("outcome" in would) return { ...would, paths: [] };
      if (!isThere(this.#row)) return { outcome: "accepted", code: "", message: "", paths: [] };
      const live = await this.#live(path, would.resourceVersion);
      if (live === "gone" || live === "other") return null;
      if (live === "moved") continue;
      const paths = await this.#differing(path, would, live);
      if (paths === "moved") continue;
      return { outcome: paths.length === 0 ? "accepted" : "differs", code: "", message: "", paths };
    }
    return null;
  }

  async #apply(path: ObjectPath): Promise<Seen | RefusalAnswer> {
    const { client, signal } = this.#options;
    const { body, differing, withoutSecrets } = applyBody(this.#row, this.#apiVersion, this.#kind, this.#root);
    try {
      const answer = await client.request("PATCH", path.object, {
        query: { dryRun: "All", force: true, fieldManager: FIELD_MANAGER, ...NO_WARNINGS },
        contentType: "application/apply-patch+yaml",
        body: yamlSafeJson(differing),
        signal,
      });
      return this.#seen(answer);
    } catch (error) {
      const { namespace, name } = this.#row;
      const there = isThere(this.#row);
      if (there && !withoutSecrets && error instanceof KubeApiError && error.status === 422) {
        const replaced = await this.#replace(path, body);
        if (replaced !== null) return replaced;
      }
      return meaningOf(error, { client, path, namespace, name, there, body, withoutSecrets, signal });
    }
  }

  /**
   * Git's side in place of the object, where it cannot be merged into it: of two fields that exclude each other the cluster has the one and
   * Git the other. null when that is refused as well.
   */
  async #replace(path: ObjectPath, body: JsonObject): Promise<Seen | null> {
    const { client, signal } = this.#options;
    const metadata = isJsonObject(body["metadata"]) ? body["metadata"] : {};
    const live = await client.request("GET", path.object, { signal });
    const resourceVersion = this.#seen(live).resourceVersion;
    try {
      const answer = await client.request("PUT", path.object, {
        query: { dryRun: "All", fieldManager: FIELD_MANAGER },
        body: { ...body, metadata: { ...metadata, resourceVersion } },
        signal,
      });
      return this.#seen(answer);
    } catch (error) {
      if (error instanceof KubeApiError && (error.status === 422 || error.status === 400 || error.status === 403))
        return null;
      throw error;
    }
  }

  /** The object as it is, in Git's version: of the row when that is what the dry run was made on, else asked for. */
  async #live(path: ObjectPath, resourceVersion: string): Promise<Seen | "gone" | "moved" | "other"> {
    const row = this.#row;
    const ours = documentOf({ spec: row.actualSpec, labels: row.labels, annotations: row.annotations }, this.#root);
    if (this.#sameVersion && resourceVersion === row.actualResourceVersion) return { document: ours, resourceVersion };
    const { client, signal } = this.#options;
    let live: Seen;
    try {
      live = this.#seen(await client.request("GET", path.object, { signal }));
    } catch (error) {
      if (error instanceof KubeApiError && error.status === 404) return "gone";
      throw error;
    }
    if (live.resourceVersion !== resourceVersion) return "moved";
    // A status that moves on is no other object; another content is another question.
    return !this.#sameVersion || sameJson(live.document, ours) ? live : "other";
  }

  async #differing(path: ObjectPath, would: Seen, live: Seen): Promise<CheckedPath[] | "moved"> {
    const { knowledge, root } = knowledgeOf(this.#row, this.#policy);
    const { found } = differencesOf(this.#row, this.#policy, true);
    const removals = found.filter(
      ({ leftover, desired, path }) =>
        leftover === true || (desired === null && schemaOf(this.#kind, path)?.nullable !== true),
    );
    const declared = declaredDocument(this.#row, root);
    const values = this.#sameVersion ? found.filter((one) => !removals.includes(one)) : everyLeaf(declared);
    const { builtIn } = knowledge.rules;
    const sides = { git: declared, would: would.document, live: live.document, kind: this.#kind, builtIn };
    const differing = confirmed(values, sides);
    if (removals.length === 0) return differing;
    const kept = await this.#withoutRemoved(path, removals, live);
    return kept === "moved" ? "moved" : [...differing, ...kept];
  }

  /** Those that would stay away when they are taken out; all of them where the server does not let them go. */
  async #withoutRemoved(
    path: ObjectPath,
    removals: readonly Difference[],
    live: Seen,
  ): Promise<CheckedPath[] | "moved"> {
    const { client, signal } = this.#options;
    const test = { op: "test", path: "/metadata/resourceVersion", value: live.resourceVersion };
    // From the end, so that the indexes before it stay what they are.
    const paths = removals.map(({ actualPath }) => [...actualPath]).sort(compareDescending);
    const remove = paths.map((one) => ({ op: "remove", path: pointer(one) }));
    const builtIn = knowledgeOf(this.#row, this.#policy).knowledge.rules.builtIn;
    let after: JsonObject | null = null;
    try {
      const answer = await client.request("PATCH", path.object, {
        query: { dryRun: "All", fieldManager: FIELD_MANAGER },
        contentType: "application/json-patch+json",
        body: [test, ...remove],
        signal,
      });
      after = this.#seen(answer).document;
    } catch (error) {
      if (!(error instanceof KubeApiError)) throw error;
      if (error.status === 409) return "moved";
      if (error.status !== 400 && error.status !== 403 && error.status !== 422) throw error;
    }
    return removals.flatMap(({ path, actualPath, actual }) => {
      // A named element has its name in `path`; anything else is where it was.
      const place = path.some((segment, index) => segment !== actualPath[index]) ? path : actualPath;
      const back = after === null ? undefined : lookUp(after, place, this.#kind, builtIn)?.value;
      return back !== undefined && sameJson(back, actual ?? null) ? [] : [{ path, actualPath }];
    });
  }

  #seen(answer: JsonValue): Seen {
    if (!isJsonObject(answer)) throw new KubeApiError(502, "", "the answer of the API server is not an object");
    const { fabricId } = this.#row;
    const { content, resourceVersion } = normaliseActual(answer, { fabricId, writePath: "watch", observedAt: 0 });
    return { document: documentOf(content, this.#root), resourceVersion };
  }
}

function unanswered(code: string, message: string): Answer {
  return { outcome: "unanswered", code, message, paths: [] };
}

function compareDescending(a: readonly string[], b: readonly string[]): number {
  for (let depth = 0; depth < Math.min(a.length, b.length); depth += 1) {
    const [left = "", right = ""] = [a[depth], b[depth]];
    if (left === right) continue;
    const numbers = /^\d+$/.test(left) && /^\d+$/.test(right);
    return numbers ? Number(right) - Number(left) : left < right ? 1 : -1;
  }
  return b.length - a.length;
}
