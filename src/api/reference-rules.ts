import { z } from "zod";
import { described, matches } from "./schema.ts";

const group = (description: string) => described(z.string().max(253), description);
const kind = (description: string) => described(z.string().min(1).max(63), description);

/** Reference fields of kinds that fabric-sync does not know by itself. */
export const referencesSpec = described(
  z
    .array(
      described(
        z.object({
          group: group("API group of the objects that refer."),
          kind: kind("Their kind."),
          path: described(
            z.string().max(512),
            "Where the name stands, as a JSON pointer into the spec; '*' stands for every element or value: /spec/backends/*/name.",
            [
              matches(
                /^\/spec\/./,
                "a path is a JSON pointer below /spec, like /spec/backendRef/name or /spec/ports/*/profile",
              ),
            ],
          ),
          targetGroup: group("API group of the objects that are referred to; empty for the core group."),
          targetKind: kind(
            "Their kind. They are looked for in the namespace of the object that refers, and among the cluster-scoped ones.",
          ),
          relation: described(z.string().max(63), "What the target is to it, in a word.").default("reference"),
        }),
        "One field that holds the name of another object.",
      ),
    )
    .max(64),
  "Fields that hold names of other objects, beside those of the kinds that are known: they are in the view references, in explain, and count for dependency_score.",
  [],
  { listType: "atomic" },
);
