import { z } from "zod";
import { FabricSyncError } from "../core/errors.ts";
import { driftSpec } from "./drift.ts";
import { gitSpec } from "./git.ts";
import { referencesSpec } from "./reference-rules.ts";
import { SUBDOMAIN, secretKeyReference } from "./references.ts";
import { described, matches, onChange } from "./schema.ts";
import { DEFAULT_SELECTION, resourcesSpec } from "./selection.ts";
import { fabricStatus } from "./status.ts";
import type { FabricStatus } from "./status.ts";
import { volatileSpec } from "./volatile.ts";
import { webhookSpec } from "./webhook.ts";

export const GROUP = "fabricsync.dev";
export const VERSION = "v1alpha1";
export const KIND = "Fabric";
export const PLURAL = "fabrics";
/** Asks for a sync now; any new value will do, a time by custom. */
export const RECONCILE_AT = "fabricsync.dev/reconcile-at";
/** Keeps a Fabric until its rows were dealt with as `deletionPolicy` says. */
export const FINALIZER = "fabricsync.dev/rows";

const retentionDays = (field: string, description: string, fallback: string) =>
  described(z.string().max(16), description, [
    matches(/^[1-9][0-9]{0,4}(h|d)$/, `${field} must be a whole number of hours or days, like 36h or 90d`),
  ]).default(fallback);

export const fabricSpec = described(
  z.object({
    suspend: described(
      z.boolean(),
      "Stops watching, fetching and writing for this Fabric; its rows stay as they are. false goes on where it stopped.",
    ).default(false),
    serviceAccountName: described(
      z.string().max(253),
      "ServiceAccount of the Fabric's namespace in whose name the mirrored cluster is read. The operator's own rights when absent.",
      [matches(SUBDOMAIN, "serviceAccountName must be the name of a ServiceAccount in the Fabric's namespace")],
    ).optional(),
    deletionPolicy: described(
      z.enum(["Delete", "Retain"]),
      "What becomes of the Fabric's rows when it is deleted: Delete removes them with their history, Retain keeps them, marked as detached. Objects in the cluster and in Git are never touched.",
    ).default("Delete"),
    direction: described(
      z.enum(["Observe"]),
      "Who may write what. Observe, the only one so far: nothing is written anywhere but in Postgres, and into the status of DeviceStates, which answers their collectors.",
    ).default("Observe"),
    cluster: described(
      z.object({
        kubeConfig: described(
          z.object({
            secretRef: secretKeyReference(
              "Secret in the Fabric's namespace with the kubeconfig. It must hold its credentials itself: exec plugins and paths to files are refused.",
              "value",
            ),
          }),
          "How to reach the cluster.",
        ).optional(),
        volatilePaths: volatileSpec.optional(),
      }),
      "The cluster that is mirrored: the one the operator runs in, when absent.",
    ).optional(),
    git: gitSpec.optional(),
    webhook: webhookSpec.optional(),
    resources: resourcesSpec.default(DEFAULT_SELECTION),
    drift: driftSpec.prefault({}),
    references: referencesSpec.optional(),
    retention: described(
      z.object({
        history: retentionDays("history", "How long events of objects are kept.", "90d"),
        tombstones: retentionDays("tombstones", "How long rows are kept whose object is gone from both sides.", "30d"),
      }),
      "How long Postgres remembers.",
    ).prefault({}),
  }),
  "What to mirror, from where, and how. An empty spec mirrors every Hedgehog kind of the cluster that the operator runs in, without Git.",
  [
    {
      cel: "!has(self.webhook) || has(self.git)",
      holds: (spec) => spec.webhook === undefined || spec.git !== undefined,
      message: "webhook needs git: add spec.git with the repository that sends the webhooks, or remove spec.webhook",
    },
    // Rows and resourceVersions of one cluster mean nothing in another.
    onChange(
      "(has(self.cluster) && has(self.cluster.kubeConfig)) == (has(oldSelf.cluster) && has(oldSelf.cluster.kubeConfig))",
      "a Fabric keeps its cluster: cluster.kubeConfig can be neither added nor removed; create another Fabric for the other cluster",
    ),
  ],
);
export type FabricSpec = z.output<typeof fabricSpec>;

/** The object as the API server gives it. */
export const fabricObject = described(
  z.object({
    spec: fabricSpec,
    status: fabricStatus.optional(),
  }),
  "A Fabric mirrors one network fabric into Postgres: what Git declares beside what the cluster holds, one row an object.",
);

const metadata = z.object({
  namespace: z.string(),
  name: z.string(),
  uid: z.string(),
  generation: z.int(),
  resourceVersion: z.string(),
  creationTimestamp: z.string().optional(),
  deletionTimestamp: z.string().optional(),
  finalizers: z.array(z.string()).default([]),
  annotations: z.record(z.string(), z.string()).default({}),
});
export type FabricMetadata = z.output<typeof metadata>;

/** Kubernetes bounds a name at 253; ours becomes part of the webhook's path and of names that are labels. */
export const NAME_RULE = {
  cel: "self.metadata.name.size() <= 63",
  message: "metadata.name must be at most 63 characters long",
};

const envelope = z.object({ metadata, status: z.unknown().optional(), spec: z.unknown() });

/** A Fabric with every default filled in. */
export interface Fabric {
  readonly metadata: FabricMetadata;
  readonly spec: FabricSpec;
  readonly status: FabricStatus;
}
/** A Fabric whose metadata we can read, and whose spec an older or newer release wrote in a way that we cannot. */
export interface UnreadableFabric {
  readonly metadata: FabricMetadata;
  readonly status: FabricStatus;
  readonly problem: FabricSyncError;
}

/**
 * Reads a Fabric as the API server gives it. What the API server accepts, this accepts; a spec that was stored under another
 * release's rules comes back with a `problem` (code `InvalidSpec`, policy `stall`) that names every wrong field.
 * @throws FabricSyncError `NotAFabric` when there is no metadata to speak of.
 */
export function parseFabric(object: unknown): Fabric | UnreadableFabric {
  const outer = envelope.safeParse(object);
  if (!outer.success) {
    throw new FabricSyncError("NotAFabric", "dead-letter", `not a Fabric: ${describeIssues(outer.error)}`);
  }
  // A status that another release wrote is no reason to stop: it is ours to write again.
  const status = fabricStatus.safeParse(outer.data.status ?? {});
  const known = { metadata: outer.data.metadata, status: status.success ? status.data : {} };
  const spec = fabricSpec.safeParse(outer.data.spec);
  if (spec.success) return { ...known, spec: spec.data };
  const problem = new FabricSyncError(
    "InvalidSpec",
    "stall",
    `the spec is not valid: ${describeIssues(spec.error, "spec")}`,
  );
  return { ...known, problem };
}

/** `spec.git.url: sentence; …`, every wrong field once. */
export function describeIssues(error: z.ZodError, root = ""): string {
  return error.issues
    .map((issue) => `${[root, ...issue.path.map(String)].filter((part) => part !== "").join(".")}: ${issue.message}`)
    .join("; ");
}
