import { stringify } from "yaml";
import { GROUP, KIND, NAME_RULE, PLURAL, VERSION, fabricObject } from "./fabric.ts";
import { structuralSchema } from "./structural.ts";
import type { StructuralSchema } from "./structural.ts";

/** Where the generated file lies, from the root of the repository. */
export const CRD_PATH = "deploy/crds/fabricsync.dev_fabrics.yaml";

const conditionField = (type: string, field: "status" | "message" | "reason") =>
  `.status.conditions[?(@.type=="${type}")].${field}`;

/** What `kubectl get fab` prints; `priority: 1` with `-o wide` alone. */
const PRINTER_COLUMNS = [
  {
    name: "Ready",
    type: "string",
    jsonPath: conditionField("Ready", "status"),
    description: "Whether both sides are taken in and followed.",
  },
  {
    name: "In sync",
    type: "integer",
    jsonPath: ".status.drift.inSync",
    description: "Objects that were compared and are as Git declares them.",
  },
  { name: "Drifted", type: "integer", jsonPath: ".status.drift.drifted", description: "Objects that differ from Git." },
  {
    name: "Missing",
    type: "integer",
    jsonPath: ".status.drift.missing",
    description: "Objects that Git declares and the cluster lacks.",
  },
  {
    name: "Unknown",
    type: "integer",
    jsonPath: ".status.drift.unknown",
    description: "Objects of which it could not be determined whether they drift.",
  },
  {
    name: "Revision",
    type: "string",
    jsonPath: ".status.git.revision",
    description: "The Git revision that is in Postgres.",
  },
  { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
  {
    name: "Status",
    type: "string",
    jsonPath: conditionField("Ready", "message"),
    priority: 1,
    description: "How it stands, in words.",
  },
  {
    name: "Not compared",
    type: "integer",
    jsonPath: ".status.drift.notCompared",
    priority: 1,
    description: "Objects that were not compared yet.",
  },
  { name: "URL", type: "string", jsonPath: ".spec.git.url", priority: 1, description: "The repository." },
  {
    name: "Objects",
    type: "integer",
    jsonPath: ".status.cluster.objects",
    priority: 1,
    description: "Objects in the cluster.",
  },
  {
    name: "Suspended",
    type: "boolean",
    jsonPath: ".spec.suspend",
    priority: 1,
    description: "Whether it is told to stand still.",
  },
];

/** The CustomResourceDefinition of Fabric, made of the zod type. */
export function fabricCrd(): object {
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: {
      name: `${PLURAL}.${GROUP}`,
      labels: { "app.kubernetes.io/name": "fabric-sync", "app.kubernetes.io/part-of": "fabric-sync" },
    },
    spec: {
      group: GROUP,
      scope: "Namespaced",
      names: {
        kind: KIND,
        listKind: `${KIND}List`,
        plural: PLURAL,
        singular: "fabric",
        shortNames: ["fab"],
        categories: ["all", "gitops"],
      },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          selectableFields: [{ jsonPath: ".spec.suspend" }],
          additionalPrinterColumns: PRINTER_COLUMNS,
          schema: { openAPIV3Schema: objectSchema() },
        },
      ],
    },
  };
}

/** The text of {@link CRD_PATH}. */
export function generateCrd(): string {
  const header = "# Generated from src/api by `npm run generate`. Change it there.\n";
  return header + stringify(fabricCrd(), { lineWidth: 0, aliasDuplicateObjects: false });
}

function objectSchema(): StructuralSchema {
  const schema = structuralSchema(fabricObject);
  const properties = schema["properties"] as Record<string, StructuralSchema>;
  return {
    ...schema,
    "x-kubernetes-validations": [{ rule: NAME_RULE.cel, message: NAME_RULE.message }],
    properties: {
      apiVersion: { type: "string", description: `Always ${GROUP}/${VERSION}.` },
      kind: { type: "string", description: `Always ${KIND}.` },
      metadata: { type: "object" },
      spec: properties["spec"],
      // A Fabric that nobody has looked at yet says so: generation 1 is ahead of -1, and tools wait.
      status: { ...properties["status"], default: { observedGeneration: -1 } },
    },
  };
}
