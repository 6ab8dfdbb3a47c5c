import { isJsonObject } from "../../src/core/json.ts";
import type { JsonObject, JsonValue } from "../../src/core/json.ts";
import type { KubeClient } from "../../src/sources/cluster/client.ts";
import { LineSplitter } from "../../src/sources/cluster/lines.ts";

/** Everything that a condition says from now on, however shortly. */
export interface Told {
  /** Each `status reason`, in the order in which it was said first. */
  readonly said: ReadonlySet<string>;
  /**
   * Ends it.
   * @throws Error when something may have been missed: the watch had ended before.
   */
  stop(): Promise<void>;
  /** Ends it, whatever was missed. */
  leave(): void;
}

/** `status reason` of a condition of an object; '' while it is not there. */
export function conditionOf(object: JsonValue | undefined, type: string): string {
  const status = fieldOf(object, "status");
  const conditions = Array.isArray(status["conditions"]) ? status["conditions"].filter(isJsonObject) : [];
  const found = conditions.find((condition) => condition["type"] === type);
  return found === undefined ? "" : `${String(found["status"])} ${String(found["reason"])}`;
}

/** By a watch: asking again and again misses what is said for a moment, the more the slower the machine is. */
export async function followCondition(
  client: KubeClient,
  { collection, name }: { readonly collection: string; readonly name: string },
  type: string,
): Promise<Told> {
  const stop = new AbortController();
  const { resourceVersion } = fieldOf(await client.request("GET", `${collection}/${name}`), "metadata");
  const query = {
    ...{ watch: 1, fieldSelector: `metadata.name=${name}`, timeoutSeconds: 3_600 },
    resourceVersion: String(resourceVersion),
  };
  const stream = await client.stream(collection, { query, signal: stop.signal });
  const said = new Set<string>();
  const reading = (async () => {
    const lines = new LineSplitter();
    for await (const chunk of stream) {
      for (const line of lines.push(chunk)) {
        const event = JSON.parse(line) as JsonObject;
        if (event["type"] !== "MODIFIED") throw new Error(`the watch of the condition brought ${line.slice(0, 200)}`);
        said.add(conditionOf(event["object"], type));
      }
    }
    throw new Error("the watch of the condition ended");
  })().catch((error: unknown) => (stop.signal.aborted ? null : error));
  return {
    said,
    leave: () => stop.abort(),
    async stop() {
      stop.abort();
      const error = await reading;
      if (error !== null) throw new Error("what the condition said may have been missed", { cause: error });
    },
  };
}

function fieldOf(object: JsonValue | undefined, field: string): JsonObject {
  const value = isJsonObject(object) ? object[field] : undefined;
  return isJsonObject(value) ? value : {};
}
