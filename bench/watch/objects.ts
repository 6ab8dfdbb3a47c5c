import type { JsonObject } from "../../src/core/json.ts";

/** The group of the kinds that are measured. */
export const GROUP = "bench.example.dev";
/** The namespace of every object. */
export const NAMESPACE = "bench";

/** Where all objects of a kind are listed. */
export function allOf(kind: number): string {
  return `/apis/${GROUP}/v1/thing${kind}s`;
}

/** Where objects of a kind are made. */
export function pathOf(kind: number): string {
  return `/apis/${GROUP}/v1/namespaces/${NAMESPACE}/thing${kind}s`;
}

/** What a switch's configuration looks like: ports with what they lead to, and text up to `bytes` of JSON. */
export function thing(kind: number, index: number, bytes: number): JsonObject {
  const ports = Array.from({ length: 30 }, (_, port) => ({
    name: `E1/${port}`,
    speed: "25G",
    peer: `leaf-${index}/E1/${port}`,
  }));
  const filler = "x".repeat(Math.max(0, bytes - JSON.stringify(ports).length - 500));
  return {
    apiVersion: `${GROUP}/v1`,
    kind: `Thing${kind}`,
    metadata: { name: `thing-${index}`, labels: { index: String(index) } },
    spec: { ports, filler },
    status: { phase: "Ready" },
  };
}

export function definition(kind: number): JsonObject {
  const names = {
    kind: `Thing${kind}`,
    plural: `thing${kind}s`,
    singular: `thing${kind}`,
    listKind: `Thing${kind}List`,
  };
  const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${names.plural}.${GROUP}` },
    spec: { group: GROUP, scope: "Namespaced", names, versions: [{ name: "v1", served: true, storage: true, schema }] },
  };
}
