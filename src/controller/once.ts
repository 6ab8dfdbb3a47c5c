import type { FabricStatus } from "../api/status.ts";
import { parseFabric } from "../api/fabric.ts";
import { FabricSyncError } from "../core/errors.ts";
import { isJsonObject } from "../core/json.ts";
import type { JsonObject } from "../core/json.ts";
import type { ControllerOptions } from "./fabric-controller.ts";
import { FabricRuntime } from "./fabric-runtime.ts";
import { fabricsPath } from "./fabric-watch.ts";
import { objectBody } from "./kube-api.ts";

/** How one pass over one Fabric ended. */
export interface OnceResult {
  readonly namespace: string;
  readonly name: string;
  /** `partial`: taken in, but something is not well. `failed`: a side, or the table, could not be had. */
  readonly outcome: "well" | "partial" | "failed" | "skipped";
  /** The condition's word and sentence. */
  readonly reason: string;
  readonly message: string;
}

export interface OnceOptions extends Omit<ControllerOptions, "namespaces"> {
  readonly namespaces: readonly string[];
  /** `NAMESPACE/NAME`; all Fabrics when absent. */
  readonly fabric?: string;
  /** How long the pass over one Fabric may take (ms). */
  readonly deadlineMs: number;
}

/**
 * One complete pass over each Fabric, one after another: cron jobs and CI. Call it while leading (`LeaderElection.runOnce`).
 * @throws FabricSyncError `FabricNotFound` (stall) when the one that was asked for is not there; what the client throws.
 */
export async function syncOnce(options: OnceOptions, signal: AbortSignal): Promise<OnceResult[]> {
  const objects = await fabricObjects(options, signal);
  const results: OnceResult[] = [];
  for (const object of objects) {
    signal.throwIfAborted();
    const fabric = parseFabric(object);
    const { namespace, name } = fabric.metadata;
    const runtime = new FabricRuntime(fabric, { ...options, api: options.client });
    const limit = AbortSignal.any([signal, AbortSignal.timeout(options.deadlineMs)]);
    results.push({ namespace, name, ...outcomeOf(await runtime.runOnce(limit)) });
  }
  await options.events.flush();
  return results;
}

/** Pure. A source that was not had makes the pass partial while the other one was; Postgres, or both, make it fail. */
export function outcomeOf(status: FabricStatus | null): Pick<OnceResult, "outcome" | "reason" | "message"> {
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  if (ready === undefined)
    return { outcome: "well", reason: "Deleted", message: "the Fabric was deleted, and is gone" };
  const { reason, message } = ready;
  if (ready.status === "True") return { outcome: reason === "Succeeded" ? "well" : "partial", reason, message };
  if (reason === "Suspended") return { outcome: "skipped", reason, message };
  const of = (type: string) => status?.conditions?.find((condition) => condition.type === type);
  const sources = [of("ClusterReady"), of("GitReady")].filter((condition) => condition !== undefined);
  const had = sources.filter(
    (condition) =>
      condition.status === "True" || (condition.type === "ClusterReady" && condition.reason === "KindForbidden"),
  );
  const partial = of("StoreReady")?.status === "True" && had.length > 0;
  return { outcome: partial ? "partial" : "failed", reason, message };
}

async function fabricObjects(options: OnceOptions, signal: AbortSignal): Promise<JsonObject[]> {
  const { client, fabric } = options;
  if (fabric !== undefined) {
    const [namespace = "", name = ""] = fabric.split("/");
    const body = await client.request("GET", fabricsPath(namespace), {
      query: { fieldSelector: `metadata.name=${name}` },
      signal,
    });
    const found = itemsOf(body);
    if (found.length === 0) throw new FabricSyncError("FabricNotFound", "stall", `there is no Fabric ${fabric}`);
    return found;
  }
  const namespaces = options.namespaces.length === 0 ? [""] : options.namespaces;
  const lists = await Promise.all(
    namespaces.map((namespace) => client.request("GET", fabricsPath(namespace), { signal })),
  );
  return lists.flatMap(itemsOf);
}

function itemsOf(body: Parameters<typeof objectBody>[0]): JsonObject[] {
  const { items } = objectBody(body, "fabrics");
  return Array.isArray(items) ? items.filter(isJsonObject) : [];
}
