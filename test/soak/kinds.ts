import type { JsonObject } from "../../src/core/json.ts";

export const GROUP = "soak.example.dev";

export function pathOf(kind: number, namespace: string): string {
  return `/apis/${GROUP}/v1/namespaces/${namespace}/thing${kind}s`;
}

export function definition(kind: number): JsonObject {
  const plural = `thing${kind}s`;
  const names = { kind: `Thing${kind}`, plural, singular: `thing${kind}`, listKind: `Thing${kind}List` };
  const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${GROUP}` },
    spec: { group: GROUP, scope: "Namespaced", names, versions: [{ name: "v1", served: true, storage: true, schema }] },
  };
}

/** About 1 KB. */
export function thing(kind: number, name: string, version: number): JsonObject {
  return {
    apiVersion: `${GROUP}/v1`,
    kind: `Thing${kind}`,
    metadata: { name, labels: { kind: String(kind) } },
    spec: {
      version,
      ports: Array.from({ length: 12 }, (_, port) => ({ name: `E1/${port}`, peer: `leaf-${port}`, speed: "25G" })),
    },
    status: { phase: "Ready" },
  };
}
