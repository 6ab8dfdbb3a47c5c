import type { DriftCase } from "./case.ts";
import { add, edited, remove, replace, sample } from "./case.ts";

const EMBEDDED = { apiVersion: "v1", kind: "Pod", metadata: { name: "x" }, spec: { nodeName: "n" } };
const PORTS = [{ number: 80 }, { number: 53, protocol: "UDP", speed: "10G" }];

/** Custom resources: a schema with every feature that structural schemas have, a defaulting and a mutating webhook. */
export const SAMPLE_CASES: readonly DriftCase[] = [
  // Scalars
  sample("what Git says is there", { size: 3, ratio: 0.25, enabled: true, name: "a" }, []),
  sample("zero values are kept as they are", { size: 0, enabled: false, name: "", ratio: 0 }, []),
  sample("a number was changed", { size: 3 }, ["/spec/size"], edited(replace("/spec/size", 4))),
  sample("a ratio was changed", { ratio: 0.5 }, ["/spec/ratio"], edited(replace("/spec/ratio", 0.75))),
  sample("a ratio is written another way", { ratio: 1 }, [], edited(replace("/spec/ratio", 1.0))),
  sample("a flag was turned", { enabled: true }, ["/spec/enabled"], edited(replace("/spec/enabled", false))),
  sample("a false flag was taken away", { enabled: false }, ["/spec/enabled"], edited(remove("/spec/enabled"))),
  sample("a zero was taken away", { size: 0 }, ["/spec/size"], edited(remove("/spec/size"))),
  sample("a text was changed", { name: "a" }, ["/spec/name"], edited(replace("/spec/name", "b"))),
  sample("only the case of a text was changed", { name: "a" }, ["/spec/name"], edited(replace("/spec/name", "A"))),
  sample("an empty text was filled", { note: "", name: "" }, ["/spec/name"], {
    applied: { spec: { name: "" } },
    edits: [replace("/spec/name", "x")],
  }),
  sample("a text was emptied", { name: "a" }, ["/spec/name"], edited(replace("/spec/name", ""))),
  sample("line separators and a byte order mark in a text", { name: "a\u2028b\ufeffc\u0085d \u{1F600}" }, [], {
    // kubectl sends it as YAML, in which a line separator ends a line.
    expectBy: { "kubectl apply --server-side": ["/spec/name"] },
  }),
  sample("a line separator became a space", { name: "a\u2028b" }, ["/spec/name"], edited(replace("/spec/name", "a b"))),
  sample(
    "several fields were changed",
    { size: 3, ratio: 0.5, name: "a" },
    ["/spec/name", "/spec/ratio", "/spec/size"],
    {
      edits: [replace("/spec/size", 4), replace("/spec/ratio", 0.1), replace("/spec/name", "z")],
    },
  ),

  // Defaults
  sample("defaults are filled in", { size: 1 }, []),
  sample("a default is said aloud", { colour: "red", replicas: 1 }, []),
  sample("a default that Git leaves open was changed", { size: 1 }, [], edited(replace("/spec/replicas", 5))),
  sample(
    "a default that Git says was changed",
    { replicas: 1 },
    ["/spec/replicas"],
    edited(replace("/spec/replicas", 5)),
  ),
  sample("an empty struct gets its defaults", { nested: {} }, []),
  sample("a default inside a declared struct", { nested: { note: "n" } }, []),
  sample(
    "a field beside a default was changed",
    { nested: { note: "n" } },
    ["/spec/nested/note"],
    edited(replace("/spec/nested/note", "m")),
  ),
  sample(
    "a default inside a struct was changed where Git says it",
    { nested: { depth: 3 } },
    ["/spec/nested/depth"],
    edited(replace("/spec/nested/depth", 9)),
  ),
  sample(
    "a default inside a struct was changed where Git is silent",
    { nested: {} },
    [],
    edited(replace("/spec/nested/depth", 9)),
  ),

  // Null, empty and absent
  sample("null stands for nothing", { size: null, name: "a" }, [], { applied: { spec: { name: "a" } } }),
  sample("null where the default is filled in", { colour: null }, [], { applied: { spec: {} } }),
  sample("null where somebody set a value", { size: null, name: "a" }, ["/spec/size"], {
    applied: { spec: { name: "a" } },
    edits: [add("/spec/size", 7)],
  }),
  sample("null is a value of its own", { maybe: null }, []),
  sample("null of its own was overwritten", { maybe: null }, ["/spec/maybe"], edited(replace("/spec/maybe", "x"))),
  sample("null instead of a nullable default", { maybeDefault: null }, [], {
    // kubectl leaves null out, and the server fills the default in.
    expectBy: { "kubectl apply": ["/spec/maybeDefault"] },
  }),
  sample(
    "a nullable default was overwritten",
    { maybeDefault: null },
    ["/spec/maybeDefault"],
    edited(replace("/spec/maybeDefault", "given")),
  ),
  sample("an empty list", { steps: [] }, []),
  sample("an empty map", { limits: {} }, []),
  sample("an empty list was filled", { steps: [] }, ["/spec/steps"], edited(replace("/spec/steps", ["x"]))),
  sample("keys were added to an empty map", { limits: {} }, [], edited(add("/spec/limits/cpu", 3))),
  sample("an empty spec", {}, []),

  // Spelling
  sample("a port as a number", { port: 80 }, []),
  sample("a port as a name", { port: "http" }, []),
  sample("a port was changed", { port: 80 }, ["/spec/port"], edited(replace("/spec/port", 81))),
  sample("a port became a text", { port: 80 }, ["/spec/port"], edited(replace("/spec/port", "80"))),
  sample("a quantity in another unit", { memory: "1024Mi" }, [], edited(replace("/spec/memory", "1Gi"))),
  sample("a quantity as a number", { memory: 1000 }, [], edited(replace("/spec/memory", "1k"))),
  sample("a quantity of another size", { memory: "1Gi" }, ["/spec/memory"], edited(replace("/spec/memory", "1G"))),
  sample("a duration as Go writes it", { timeout: "90s" }, [], edited(replace("/spec/timeout", "1m30s"))),
  sample(
    "a duration of another length",
    { timeout: "90s" },
    ["/spec/timeout"],
    edited(replace("/spec/timeout", "91s")),
  ),
  sample(
    "a time in another zone",
    { at: "2026-01-01T00:00:00Z" },
    [],
    edited(replace("/spec/at", "2026-01-01T01:00:00+01:00")),
  ),
  sample(
    "another time",
    { at: "2026-01-01T00:00:00Z" },
    ["/spec/at"],
    edited(replace("/spec/at", "2026-01-01T00:00:01Z")),
  ),
  sample("bytes", { blob: "aGVsbG8=" }, []),
  sample("other bytes", { blob: "aGVsbG8=" }, ["/spec/blob"], edited(replace("/spec/blob", "aGVsbG9v"))),

  // Sets
  sample("a set in another order", { tags: ["a", "b"] }, [], edited(replace("/spec/tags", ["b", "a"]))),
  sample("a set that somebody added to", { tags: ["a"] }, [], edited(add("/spec/tags/-", "b"))),
  sample("a set that lost a member", { tags: ["a", "b"] }, ["/spec/tags/0"], edited(remove("/spec/tags/0"))),
  sample(
    "a set whose member was replaced",
    { tags: ["a", "b"] },
    ["/spec/tags/1"],
    edited(replace("/spec/tags/1", "c")),
  ),

  // Atomic lists
  sample("a list in its order", { steps: ["b", "a"] }, []),
  sample(
    "a list in another order",
    { steps: ["a", "b"] },
    ["/spec/steps/0", "/spec/steps/1"],
    edited(replace("/spec/steps", ["b", "a"])),
  ),
  sample("a list that grew", { steps: ["a"] }, ["/spec/steps"], edited(add("/spec/steps/-", "b"))),
  sample("a list that shrank", { steps: ["a", "b"] }, ["/spec/steps"], edited(remove("/spec/steps/1"))),
  sample("a list that is gone", { steps: ["a"] }, ["/spec/steps"], edited(remove("/spec/steps"))),
  sample("defaults inside a list", { hops: [{ via: "a" }, { via: "b", cost: 3 }] }, []),
  sample(
    "an element of a list was changed",
    { hops: [{ via: "a" }, { via: "b" }] },
    ["/spec/hops/1/via"],
    edited(replace("/spec/hops/1/via", "c")),
  ),
  sample(
    "a default inside a list was changed",
    { hops: [{ via: "a" }] },
    ["/spec/hops/0/cost"],
    edited(replace("/spec/hops/0/cost", 11)),
  ),
  sample(
    "a field was added inside a list",
    { hops: [{ cost: 10 }] },
    ["/spec/hops/0/via"],
    edited(add("/spec/hops/0/via", "x")),
  ),

  // Lists with keys
  sample("elements by key, with defaults", { ports: PORTS }, []),
  sample(
    "elements in another order",
    { ports: PORTS },
    [],
    edited(replace("/spec/ports", [{ number: 53, protocol: "UDP", speed: "10G" }, { number: 80 }])),
  ),
  sample(
    "somebody's element before ours",
    { ports: PORTS },
    [],
    edited(add("/spec/ports/0", { number: 22, speed: "1G" })),
  ),
  sample(
    "a field of the second element",
    { ports: PORTS },
    ["/spec/ports/1/speed"],
    edited(replace("/spec/ports/1/speed", "25G")),
  ),
  sample("a field of an element that moved", { ports: PORTS }, ["/spec/ports/1/speed"], {
    edits: [replace("/spec/ports/1/speed", "25G"), add("/spec/ports/0", { number: 22 })],
  }),
  sample(
    "a default of an element, where Git is silent",
    { ports: PORTS },
    [],
    edited(replace("/spec/ports/0/mtu", 9000)),
  ),
  sample("a field that somebody gave to an element", { ports: PORTS }, [], edited(add("/spec/ports/0/speed", "1G"))),
  sample("an element is gone", { ports: PORTS }, ["/spec/ports/0"], edited(remove("/spec/ports/0"))),
  sample(
    "an element's key was changed",
    { ports: PORTS },
    ["/spec/ports/1"],
    edited(replace("/spec/ports/1/protocol", "TCP")),
  ),
  sample("all elements are gone", { ports: PORTS }, ["/spec/ports"], edited(remove("/spec/ports"))),

  // Maps
  sample("keys of a map", { limits: { cpu: 1, memory: 2 } }, []),
  sample("somebody's key of a map", { limits: { cpu: 1 } }, [], edited(add("/spec/limits/disk", 3))),
  sample(
    "a key of a map was changed",
    { limits: { cpu: 1 } },
    ["/spec/limits/cpu"],
    edited(replace("/spec/limits/cpu", 2)),
  ),
  sample(
    "a key of a map is gone",
    { limits: { cpu: 1, memory: 2 } },
    ["/spec/limits/cpu"],
    edited(remove("/spec/limits/cpu")),
  ),
  sample(
    "a key with a slash and a tilde",
    { limits: { "a/b~c": 1 } },
    ["/spec/limits/a~1b~0c"],
    edited(replace("/spec/limits/a~1b~0c", 2)),
  ),
  sample("an atomic map", { selector: { app: "a" } }, []),
  sample(
    "somebody's key of an atomic map",
    { selector: { app: "a" } },
    ["/spec/selector/tier"],
    edited(add("/spec/selector/tier", "b")),
  ),

  // Unknown fields, free forms, embedded objects
  sample("a field that the server prunes", { size: 1, unheardOf: 5 }, [], { applied: { spec: { size: 1 } } }),
  sample("a field that is pruned, beside a drift", { size: 1, unheardOf: 5 }, ["/spec/size"], {
    applied: { spec: { size: 1 } },
    edits: [replace("/spec/size", 2)],
  }),
  sample("a field that is pruned inside a list with keys", { ports: [{ number: 80, unheardOf: 1 }] }, [], {
    applied: { spec: { ports: [{ number: 80 }] } },
  }),
  sample("a free form", { free: { a: { b: [1, { c: "x" }] }, d: true } }, []),
  sample(
    "a free form was changed inside",
    { free: { a: { b: 1 } } },
    ["/spec/free/a/b"],
    edited(replace("/spec/free/a/b", 2)),
  ),
  sample(
    "a free form keeps the type of a number",
    { free: { a: 80 } },
    ["/spec/free/a"],
    edited(replace("/spec/free/a", "80")),
  ),
  sample("a free form that somebody added to", { free: { a: 1 } }, [], edited(add("/spec/free/b", 2))),
  sample(
    "a list in a free form",
    { free: { a: [1, 2] } },
    ["/spec/free/a"],
    edited(replace("/spec/free/a", [1, 2, 3])),
  ),
  sample("an embedded object", { template: EMBEDDED }, []),
  sample(
    "an embedded object was changed",
    { template: EMBEDDED },
    ["/spec/template/spec/nodeName"],
    edited(replace("/spec/template/spec/nodeName", "m")),
  ),
  sample(
    "an embedded object's label was changed",
    { template: { ...EMBEDDED, metadata: { name: "x", labels: { a: "b" } } } },
    ["/spec/template/metadata/labels/a"],
    edited(replace("/spec/template/metadata/labels/a", "c")),
  ),
  sample(
    "an embedded object with a schema",
    { embedded: { apiVersion: "v1", kind: "K", metadata: { name: "e" }, spec: { a: 1 } } },
    [],
  ),
  sample(
    "an embedded object with a schema was changed",
    { embedded: { apiVersion: "v1", kind: "K", spec: { a: 1 } } },
    ["/spec/embedded/spec/a"],
    edited(replace("/spec/embedded/spec/a", 2)),
  ),

  // Webhooks
  sample("a webhook's default beside what Git says", { size: 2, name: "a" }, []),
  sample("a webhook writes a MAC another way", { mac: "0C-20-12-FF-00-01" }, []),
  sample(
    "a MAC was changed",
    { mac: "0C-20-12-FF-00-01" },
    ["/spec/mac"],
    edited(replace("/spec/mac", "0c:20:12:ff:00:02")),
  ),
  sample("a webhook sorts a list", { groups: ["c", "a", "b"] }, []),
  sample(
    "a sorted list lost an element",
    { groups: ["c", "a", "b"] },
    ["/spec/groups"],
    edited(remove("/spec/groups/1")),
  ),
  sample(
    "a webhook's own default was changed where Git is silent",
    { size: 2 },
    [],
    edited(replace("/spec/ratio", 0.9)),
  ),

  // Revisions
  sample("a field that Git gave up is still there", { size: 1 }, ["/spec/name"], {
    applied: { spec: { size: 1, name: "a" } },
    revised: true,
  }),
  sample("a field that Git gave up is gone", { size: 1 }, [], {
    applied: { spec: { size: 1, name: "a" } },
    revised: true,
    reapplied: true,
  }),
  sample("a field that Git gave up has its default", { size: 1 }, [], {
    applied: { spec: { size: 1, replicas: 1 } },
    revised: true,
  }),
  sample("a field that Git gave up is filled in by a webhook", { size: 1 }, [], {
    applied: { spec: { size: 1, ratio: 0.5 } },
    revised: true,
  }),
  sample(
    "an element that Git gave up is still there",
    { ports: [{ number: 80 }] },
    ["/spec/ports/number=53,protocol=UDP"],
    { applied: { spec: { ports: PORTS } }, revised: true },
  ),
  sample("a member of a set that Git gave up", { tags: ["a"] }, ["/spec/tags/=b"], {
    applied: { spec: { tags: ["a", "b"] } },
    revised: true,
  }),
  sample("a key that Git gave up", { limits: { cpu: 1 } }, ["/spec/limits/disk"], {
    applied: { spec: { limits: { cpu: 1, disk: 2 } } },
    revised: true,
  }),
  sample("Git moved on, the cluster not yet", { size: 2 }, ["/spec/size"], {
    applied: { spec: { size: 1 } },
    revised: true,
  }),

  // What the server would refuse
  sample("a text for a number", { size: "3" }, "invalid", { applied: { spec: { size: 3 } } }),
  sample("a number for a text", { name: 5 }, "invalid", { applied: { spec: { name: "5" } } }),
  sample("a value that is not listed", { colour: "pink" }, "invalid", { applied: { spec: { colour: "red" } } }),
  sample("a number out of bounds", { size: 101 }, "invalid", { applied: { spec: { size: 100 } } }),
  sample("a field that cannot be changed", { fixed: "b" }, "invalid", { applied: { spec: { fixed: "a" } } }),
  sample("a set with a member twice", { tags: ["a", "a"] }, "invalid", { applied: { spec: { tags: ["a"] } } }),
  sample("two elements of one key", { ports: [{ number: 1 }, { number: 1, speed: "x" }] }, "invalid", {
    applied: { spec: { ports: [{ number: 1 }] } },
  }),
];
