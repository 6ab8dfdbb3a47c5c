import { isJsonObject } from "../../src/core/json.ts";
import type { JsonObject, JsonValue } from "../../src/core/json.ts";
import { reduce } from "../../src/core/reduce.ts";
import type { ResourceRow } from "../../src/core/row.ts";
import { normaliseDesired } from "../../src/core/normalise.ts";
import { readManifests } from "../../src/sources/git/manifests.ts";
import { actual, at, COMMIT_1, FABRIC, POLICY } from "./observations.ts";

const FILE = `# a comment
---
apiVersion: example.com/v1
kind: Widget
metadata: { name: one, namespace: default }
spec:
  size: 1
  ports:
    - name: a
      speed: 10
    - { name: b, speed: 25 }
  "odd/key": x
`;

/** The drifted paths of the file's first document, with line and column. */
function places(file: string, cluster: JsonValue): (readonly [JsonValue, JsonValue, JsonValue])[] {
  let row: ResourceRow | null = declared(null, file);
  row = reduce(row, actual(cluster), POLICY, at(1)).row;
  return told(row);
}

function declared(row: ResourceRow | null, file: string): ResourceRow | null {
  const [manifest] = readManifests(Buffer.from(file), 10).manifests;
  if (manifest === undefined) throw new Error("there is no document");
  const { object, line, places } = manifest;
  const origin = { commit: COMMIT_1, author: "ada", filePath: "a.yaml", line, fileHash: blobOf(file) };
  const seen = { fabricId: FABRIC, writePath: "git_poll", observedAt: 0 } as const;
  return reduce(row, normaliseDesired(object, { ...origin, ...(places ? { places } : {}) }, seen), POLICY, at(0)).row;
}

const blobOf = (file: string): string => String(file.length).padStart(40, "0");

function told(row: ResourceRow | null) {
  const paths = row?.driftDetails["paths"];
  if (!Array.isArray(paths)) return [];
  const found = paths.filter(isJsonObject).map(({ path, line, column }) => [path, line, column] as const);
  return found as (readonly [JsonValue, JsonValue, JsonValue])[];
}

const CLUSTER: JsonObject = {
  size: 2,
  ports: [
    { name: "a", speed: 11 },
    { name: "b", speed: 26 },
  ],
  "odd/key": "y",
};

it("each drifted path is told with its line and column", () => {
  expect(places(FILE, CLUSTER)).toEqual([
    ["/spec/size", 7, 3],
    ["/spec/ports/0/speed", 10, 7],
    ["/spec/ports/1/speed", 11, 18],
    ["/spec/odd~1key", 12, 3],
  ]);
});

it("a path inside of what an alias brings is told at the alias", () => {
  const aliased = FILE.replace("  size: 1\n", "  size: 1\n  base: &base { a: 1 }\n  other: *base\n");
  expect(places(aliased, { ...CLUSTER, base: { a: 1 }, other: { a: 2 } })).toContainEqual(["/spec/other/a", 9, 3]);
});

it("a document that moves in its file takes its places along, and one that is written anew has new ones", () => {
  const row = reduce(declared(null, FILE), actual(CLUSTER), POLICY, at(1)).row;
  const moved = declared(row, `# one line\n# more\n${FILE}`);
  expect(told(moved).map(([path, line]) => [path, line])).toContainEqual(["/spec/size", 9]);
  const spread = declared(moved, FILE.replace("  size: 1\n", "\n  # why\n  size: 1\n"));
  expect(told(spread).map(([path, line]) => [path, line])).toContainEqual(["/spec/size", 9]);
});

it("JSON has the place of its document", () => {
  const json = JSON.stringify({
    apiVersion: "example.com/v1",
    kind: "Widget",
    metadata: { name: "one", namespace: "default" },
    spec: { size: 1 },
  });
  expect(places(`\n${json}`, { size: 2 })).toEqual([["/spec/size", 2, 1]]);
});

it("items of a list have their own", () => {
  const list = `apiVersion: v1\nkind: List\nitems:\n  - apiVersion: example.com/v1\n    kind: Widget\n    metadata: { name: one, namespace: default }\n    spec:\n      size: 1\n`;
  expect(places(list, { size: 2 })).toEqual([["/spec/size", 8, 7]]);
});
