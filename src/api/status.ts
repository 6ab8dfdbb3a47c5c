import { z } from "zod";
import { described } from "./schema.ts";

const integer = (description: string) => described(z.int(), description);
const time = (description: string) => described(z.string(), description, [], { format: "date-time" });
const text = (description: string) => described(z.string(), description);

/** `metav1.Condition`. */
export const condition = described(
  z.object({
    type: described(z.string().max(316), "Ready, Reconciling, Stalled, GitReady, ClusterReady, StoreReady or Landed."),
    status: described(z.enum(["True", "False", "Unknown"]), "Whether it holds."),
    reason: described(z.string().min(1).max(1024), "Why, in one CamelCase word."),
    message: described(z.string().max(32_768), "Why, in words, with what to do where something must be done."),
    observedGeneration: described(z.int().min(0), "The generation of the spec that the condition speaks of.", [], {
      format: "int64",
    }).optional(),
    lastTransitionTime: time("When status last changed."),
  }),
  "One statement about the Fabric, with its age.",
);
export type Condition = z.output<typeof condition>;

/** Every figure is counted from rows, none is kept beside them. */
export const fabricStatus = described(
  z.object({
    observedGeneration: described(z.int(), "The last generation of the spec that was acted upon.", [], {
      format: "int64",
    }).optional(),
    lastHandledReconcileAt: text(
      "The value of the annotation fabricsync.dev/reconcile-at whose sync is done.",
    ).optional(),
    webhookPath: text("Where the Git provider sends its webhooks, below the operator's address.").optional(),
    conditions: described(z.array(condition), "How the Fabric stands.", [], {
      listType: "map",
      listMapKeys: ["type"],
    }).optional(),
    git: described(
      z.object({
        revision: text("The last revision whose rows are completely in Postgres, as branch@sha1:<commit>.").optional(),
        lastAttemptedRevision: text("The last revision that was looked at, taken in or not.").optional(),
        lastFetchedAt: time("When the repository last answered.").optional(),
        files: integer("Files that were read at revision.").optional(),
        documents: integer("YAML documents in these files.").optional(),
        invalidDocuments: integer("Documents that were refused; GitReady names the first of them.").optional(),
      }),
      "The desired side.",
    ).optional(),
    cluster: described(
      z.object({
        kinds: integer("Kinds that are watched.").optional(),
        objects: integer("Objects that the cluster has and the table holds.").optional(),
        synced: described(
          z.boolean(),
          "Whether every selected kind was taken in completely and is being followed.",
        ).optional(),
        lastEventAt: time("When the cluster last told of a change.").optional(),
        completeAt: time("As of when the table is known to hold everything that is selected.").optional(),
        freshness: described(
          z.array(
            described(
              z.object({
                group: text("API group; '' for the core group."),
                kind: text("Kind."),
                completeAt: time("Absent while it was never complete.").optional(),
              }),
              "One kind.",
            ),
          ),
          "As of when the table is known to hold everything of each kind that is served, at most once a minute; of the first 200 in their order.",
          [],
          { listType: "map", listMapKeys: ["group", "kind"] },
        ).optional(),
      }),
      "The actual side.",
    ).optional(),
    drift: described(
      z.object({
        inSync: integer("Objects that are as Git declares them.").optional(),
        drifted: integer("Objects that differ on a path that Git declares.").optional(),
        missing: integer("Objects that Git declares and the cluster does not have.").optional(),
        extra: integer("Objects that only the cluster has, where the Fabric asks to report them.").optional(),
        untracked: integer("Objects that only the cluster has, where nobody asked.").optional(),
        invalid: integer("Objects that the API server would refuse as Git declares them.").optional(),
        unknown: integer(
          "Objects of which it could not be determined whether they drift; unknownReasons tells why.",
        ).optional(),
        notCompared: integer("Objects that were not compared yet: the comparison is under way.").optional(),
        unknownReasons: described(
          z.array(
            described(
              z.object({
                reason: described(z.string().min(1), "Why, in one CamelCase word: drift_details.code of the rows."),
                objects: integer("How many."),
                message: text("Why one of them is unknown or not compared, in words."),
              }),
              "One reason.",
            ),
          ),
          "Why objects are unknown or not compared yet, the most frequent first.",
          [],
          { listType: "map", listMapKeys: ["reason"] },
        ).optional(),
        bySeverity: described(
          z.object({
            low: integer("Edited labels and annotations, extra objects."),
            medium: integer("Some edited fields, or what Git gave up."),
            high: integer("Parts that are gone, many edited fields, missing objects."),
            critical: integer("Objects that would be refused."),
          }),
          "Those that are drifted, missing, extra or invalid, by how much it matters.",
        ).optional(),
        score: integer("The score of the heaviest of them, 1 to 100; 0 where nothing drifts.").optional(),
        judgedBy: text(
          "Stands for the rules and the cluster's schemas by which every object was compared; others, and all are compared again.",
        ).optional(),
        evaluatedRevision: text("The revision that the figures compare with.").optional(),
      }),
      "Desired beside actual, in numbers.",
    ).optional(),
    store: described(
      z.object({
        deadLetters: integer("Observations that Postgres refused; see fabric-sync dead-letter list.").optional(),
      }),
      "The table.",
    ).optional(),
  }),
  "How the Fabric stands, as of the conditions' times.",
);
export type FabricStatus = z.output<typeof fabricStatus>;
