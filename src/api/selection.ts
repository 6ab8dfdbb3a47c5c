import { z } from "zod";
import { LABEL, SUBDOMAIN } from "./references.ts";
import { described, matches } from "./schema.ts";

const group = described(
  z.string().max(253),
  "API group: its full name, '*.' and a suffix for every group below it (*.githedgehog.com), '*' for all, '' for the core group.",
  [
    {
      cel: `self in ['', '*'] || self.matches('^(\\\\*\\\\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')`,
      holds: (value) => value === "" || value === "*" || SUBDOMAIN.test(value.replace(/^\*\./, "")),
      message:
        "group must be an API group without its version, like wiring.githedgehog.com or *.githedgehog.com; '' is the core group",
    },
  ],
);

const kinds = described(
  z
    .array(
      described(z.string().max(63), "A kind as objects name it (Switch), or '*'.", [
        matches(
          /^(\*|[A-Z][A-Za-z0-9]*)$/,
          "a kind is written as in the object's kind field, like Switch; '*' stands for all",
        ),
      ]),
    )
    .min(1)
    .max(64),
  "Kinds of the group; ['*'] for all of them.",
  [],
  { listType: "atomic" },
);

const selection = described(
  z.object({
    group,
    version: described(z.string().max(63), "Version to read the kinds in; the server's preferred one when absent.", [
      matches(/^v[0-9]+((alpha|beta)[0-9]+)?$/, "version must be an API version, like v1 or v1beta1"),
    ]).optional(),
    kinds,
    namespaces: described(
      z
        .array(
          described(z.string().max(63), "Name of a namespace.", [
            matches(LABEL, "a namespace is named with lower case letters, digits and '-'"),
          ]),
        )
        .max(256),
      "Only objects of these namespaces. All namespaces, and cluster-scoped objects, when absent.",
      [],
      { listType: "atomic" },
    ).optional(),
    labelSelector: described(
      z.string().max(1024),
      "Only objects that this selector matches, as in kubectl get -l: role=leaf,site in (dc1, dc2).",
    ).optional(),
  }),
  "One set of kinds.",
);

/** What is mirrored when a Fabric does not say: every kind of the Hedgehog fabric API. */
export const DEFAULT_SELECTION = [{ group: "*.githedgehog.com", kinds: ["*"] }];

export const resourcesSpec = described(
  z.array(selection).min(1).max(64),
  "What is mirrored. Kinds are found by discovery and followed as CRDs come and go. The operator, or the ServiceAccount it impersonates, needs list and watch on each; a kind that it may not list is named in the ClusterReady condition and the others go on.",
  [],
  { listType: "atomic" },
);

export type Selection = z.output<typeof selection>;
