import { z } from "zod";
import { described, matches } from "./schema.ts";

const target = described(
  z.object({
    group: described(z.string().max(253), "API group of the objects.").optional(),
    kind: described(z.string().max(63), "Kind of the objects.").optional(),
    namespace: described(z.string().max(63), "Namespace of the objects.").optional(),
    name: described(z.string().max(253), "Name of the object.").optional(),
    matchLabels: described(
      z.record(z.string().max(317), z.string().max(63)),
      "Labels that the objects carry, all of them.",
    ).optional(),
  }),
  "Which objects the rule is for: those that agree with every field given here. All objects when absent.",
);

const ignoreRule = described(
  z.object({
    target: target.optional(),
    paths: described(
      z
        .array(
          described(
            z.string().max(512),
            "A JSON pointer into the object; '*' stands for one segment: /spec/ports/*/speed.",
            [
              matches(
                /^\//,
                "a path is a JSON pointer that begins with '/', like /spec/replicas or /spec/ports/*/speed",
              ),
            ],
          ),
        )
        .min(1)
        .max(32),
      "What never counts as drift, with everything below it.",
      [],
      { listType: "atomic" },
    ),
    managers: described(
      z.array(z.string().max(128)).max(16),
      "Only differences that one of these field managers made (metadata.managedFields). Every manager's when absent.",
      [],
      { listType: "atomic" },
    ).optional(),
  }),
  "Differences that somebody else than Git owns by right.",
);

/** How the two sides are compared. */
export const driftSpec = described(
  z.object({
    mode: described(
      z.enum(["Disabled", "Local", "ServerSide"]),
      "ServerSide compares what Git declares with what the cluster holds, path by path, and has the API server decide by a dry run where they differ. Local compares and asks nobody. Disabled compares nothing: the verdict is unknown.",
    ).default("ServerSide"),
    extra: described(
      z.enum(["Ignore", "Report"]),
      "What an object is that only the cluster has, of a kind that Git declares: untracked (Ignore) or drift of its own (Report). Report also tells keys of maps, members of sets and elements of keyed lists that somebody else added inside of a declared object.",
    ).default("Ignore"),
    ignore: described(z.array(ignoreRule).max(64), "Differences that do not count.", [], {
      listType: "atomic",
    }).optional(),
  }),
  "How desired and actual are compared.",
);

export type DriftSpec = z.output<typeof driftSpec>;
