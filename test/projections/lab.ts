import type { JsonObject } from "../../src/core/json.ts";
import { openStore, type StoreFixture } from "../store/fixture.ts";
import { actual, exampleObjects, objectNamed } from "./example.ts";

/** A database with the example fabric, as the cluster holds it. */
export interface Lab extends AsyncDisposable {
  readonly at: StoreFixture;
  readonly objects: readonly JsonObject[];
  /** Observes objects in a later version than before; nothing of them is refused. */
  put(...some: readonly JsonObject[]): Promise<void>;
  /** The column `text` of what a query finds. */
  list(query: string): Promise<string[]>;
  /** The Agent of a switch after `change` of its interfaces. */
  agent(name: string, change: (interfaces: Record<string, JsonObject>) => void): JsonObject;
}

export async function openLab(): Promise<Lab> {
  const at = await openStore();
  const objects = await exampleObjects();
  let version = 1;
  return {
    at,
    objects,
    async put(...some) {
      version += 1;
      expect(await at.apply(some.map((object) => actual(object, at.fabricId, String(version))))).toMatchObject({
        deadLettered: [],
      });
    },
    async list(query) {
      return (await at.sql<{ text: string }>(query)).map(({ text }) => text);
    },
    agent(name, change) {
      const object = objectNamed(objects, "Agent", name);
      change(stateOf(object)["interfaces"] as Record<string, JsonObject>);
      return object;
    },
    [Symbol.asyncDispose]: () => at[Symbol.asyncDispose](),
  };
}

/** What an Agent reports. */
export function stateOf(agent: JsonObject): JsonObject {
  return (agent["status"] as JsonObject)["state"] as JsonObject;
}

/** An object with what it has beside its name. */
export function made(apiVersion: string, kind: string, name: string, more: JsonObject): JsonObject {
  return { apiVersion, kind, metadata: { name }, ...more };
}

/** What a collector tells of a device. */
export function deviceState(name: string, spec: JsonObject): JsonObject {
  return made("fabricsync.dev/v1alpha1", "DeviceState", name, { spec });
}
