import { readFile } from "node:fs/promises";
import { CRD_PATH, fabricCrd, generateCrd } from "../../src/api/crd.ts";
import type { StructuralSchema } from "../../src/api/structural.ts";

const crd = fabricCrd() as { spec: { versions: { schema: { openAPIV3Schema: StructuralSchema } }[] } };
const schema = crd.spec.versions[0]?.schema.openAPIV3Schema ?? {};

/** Every field below `properties` and `items`, with its path. */
function* fields(node: StructuralSchema, path: string): Generator<[string, StructuralSchema]> {
  for (const [name, child] of Object.entries((node["properties"] ?? {}) as Record<string, StructuralSchema>)) {
    yield [`${path}.${name}`, child];
    yield* fields(child, `${path}.${name}`);
  }
  const items = node["items"] as StructuralSchema | undefined;
  if (items !== undefined) {
    yield [`${path}[]`, items];
    yield* fields(items, `${path}[]`);
  }
}

test("the file in deploy/ is the one that src/api makes", async () => {
  const file = await readFile(new URL(`../../${CRD_PATH}`, import.meta.url), "utf8");
  // When this fails: npm run generate
  expect(file).toBe(generateCrd());
});

test("every field is described, for kubectl explain", () => {
  const silent = [...fields(schema, "")]
    .filter(
      ([path, field]) =>
        typeof field["description"] !== "string" && path !== ".metadata" && !path.endsWith("managers[]"),
    )
    .map(([path]) => path);
  expect(silent).toEqual([]);
});

test("every text and list of the spec is bounded, so that the API server can bound the cost of its rules", () => {
  const unbounded = [...fields(schema, "")]
    .filter(([path]) => path.startsWith(".spec"))
    .filter(([, field]) => {
      if (field["type"] === "array") return field["maxItems"] === undefined;
      return field["type"] === "string" && field["enum"] === undefined && field["maxLength"] === undefined;
    })
    .map(([path]) => path);
  expect(unbounded).toEqual([]);
});

test("no field refuses by a bare pattern: a rule says what to do", () => {
  const patterned = [...fields(schema, "")].filter(([, field]) => field["pattern"] !== undefined);
  expect(patterned).toEqual([]);
});

test("every rule's message is a sentence that names what is right, not CEL's own", () => {
  for (const [path, field] of fields(schema, "")) {
    for (const rule of (field["x-kubernetes-validations"] ?? []) as { rule: string; message: string }[]) {
      expect([path, rule.message.split(" ").length > 5]).toEqual([path, true]);
    }
  }
});
