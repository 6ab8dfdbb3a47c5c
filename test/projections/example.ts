import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import type { JsonObject } from "../../src/core/json.ts";
import { normaliseActual } from "../../src/core/normalise.ts";
import type { ActualUpsert } from "../../src/core/observation.ts";
import type { WritePath } from "../../src/core/vocabulary.ts";

const EXAMPLES = join(import.meta.dirname, "../../examples");

/** The objects of the example fabric: what Git declares, and what the platform makes. */
export async function exampleObjects(...folders: string[]): Promise<JsonObject[]> {
  const found: JsonObject[] = [];
  for (const folder of folders.length === 0 ? ["fabric", "platform"] : folders) {
    const files = await readdir(join(EXAMPLES, folder), { recursive: true });
    for (const file of files.filter((name) => name.endsWith(".yaml")).sort()) {
      const text = await readFile(join(EXAMPLES, folder, file), "utf8");
      for (const document of parseAllDocuments(text)) found.push(document.toJS() as JsonObject);
    }
  }
  return found;
}

/** As the cluster holds an object. */
export function actual(
  object: JsonObject,
  fabricId: string,
  resourceVersion = "1",
  writePath: WritePath = "list",
  observedAt = 1_700_000_000_000,
): ActualUpsert {
  const metadata = object["metadata"] as JsonObject;
  return normaliseActual(
    {
      ...object,
      metadata: {
        namespace: "default",
        ...metadata,
        uid: `uid-${String(object["kind"])}-${String(metadata["name"])}`,
        resourceVersion,
        generation: 1,
      },
    },
    { fabricId, writePath, observedAt },
  );
}

/** An object of the example fabric by kind and name. */
export function objectNamed(objects: readonly JsonObject[], kind: string, name: string): JsonObject {
  const found = objects.find(
    (object) => object["kind"] === kind && (object["metadata"] as JsonObject)["name"] === name,
  );
  if (found === undefined) throw new Error(`the example fabric has no ${kind} ${name}`);
  return structuredClone(found);
}
