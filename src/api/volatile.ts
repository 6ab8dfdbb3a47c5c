import { z } from "zod";
import { described, matches } from "./schema.ts";

/** What of an object is outside of its content anyhow, and so cannot be taken out of it. */
const IDENTITY = /^\/(apiVersion|kind|metadata)(\/|$)/;
const IN_METADATA = /^\/metadata\/(labels|annotations)\/[^\/]+$/;

const path = described(
  z.string().max(512),
  "A JSON pointer into the object; '*' stands for one segment: /status/ports/*/counters. A '/' inside of a segment is written ~1.",
  [
    matches(
      /^(\/([^~\/]|~[01])+)+$/,
      "a path is a JSON pointer, like /status/lastHeartbeat or /status/ports/*/counters; '/' inside of a segment is written ~1, '~' is ~0",
    ),
    {
      cel: "!self.matches('^/(apiVersion|kind|metadata)(/|$)') || self.matches('^/metadata/(labels|annotations)/[^/]+$')",
      holds: (value) => !IDENTITY.test(value) || IN_METADATA.test(value),
      message:
        "of the metadata only one label or annotation can be named, like /metadata/annotations/example.com~1seen-at",
    },
  ],
);

const rule = described(
  z.object({
    target: described(
      z.object({
        group: described(z.string().max(253), "API group of the objects.").optional(),
        kind: described(z.string().max(63), "Kind of the objects.").optional(),
      }),
      "Which kinds the rule is for: those that agree with every field given here. Every kind when absent.",
    ).optional(),
    paths: described(
      z.array(path).min(1).max(32),
      "What moves without news, with everything below it: a change of nothing else makes no history.",
      [],
      { listType: "atomic" },
    ),
    volatile: described(
      z.boolean(),
      "false takes the paths back, from the built-in list or from a rule before this one: their changes make history.",
    ).default(true),
  }),
  "Fields of some kinds that never stand still, or that do after all.",
);

/** Beside the built-in list of docs/volatile.md. */
export const volatileSpec = described(
  z.array(rule).max(64),
  "Heartbeats, counters and readings of your own kinds, beside those that are known; a later rule wins. What is there already makes no history when this changes.",
  [],
  { listType: "atomic" },
);

export type VolatileSpec = z.output<typeof volatileSpec>;
