import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { orderOf } from "../../src/core/relations-order.ts";
import { fabricSync } from "../cli/support/program.ts";

const node = (id: string, ...to: string[]) => ({
  id,
  refersTo: to.map((target) => ({ id: target, path: `/spec/${target}` })),
});

test("what refers comes after what it refers to; equal ones by name", () => {
  expect(orderOf([node("c", "b"), node("b", "a"), node("a"), node("d", "a")])).toEqual({
    creation: ["a", "b", "c", "d"],
    cycles: [],
    missing: [],
  });
});

test("a circle is named, and so is a reference that leads out", () => {
  expect(orderOf([node("a", "b"), node("b", "a", "z"), node("c", "c"), node("d", "a")])).toEqual({
    creation: ["a", "b", "c", "d"],
    cycles: [["a", "b"], ["c"]],
    missing: [{ from: "b", path: "/spec/z", to: "z" }],
  });
});

test("without circles every order is safe, and nobody is left out", () => {
  const graph = fc.array(fc.array(fc.nat(30), { maxLength: 4 }), { maxLength: 30 });
  fc.assert(
    fc.property(graph, (targets) => {
      // References to earlier ones alone make no circle.
      const nodes = targets.map((to, index) =>
        node(`n${index}`, ...to.filter((one) => one < index).map((one) => `n${one}`)),
      );
      const { creation, cycles } = orderOf(nodes);
      expect(cycles).toEqual([]);
      expect(creation.toSorted()).toEqual(nodes.map(({ id }) => id).toSorted());
      for (const { id, refersTo } of nodes) {
        for (const target of refersTo) expect(creation.indexOf(target.id)).toBeLessThan(creation.indexOf(id));
      }
    }),
  );
});

test("a chain as long as the set does not break it", () => {
  const nodes = Array.from({ length: 20_000 }, (_, index) => node(`n${index}`, `n${index + 1}`));
  expect(orderOf(nodes).creation[0]).toBe("n19999");
});

test("the command orders the example fabric: namespaces, switches, connections, VPCs, attachments", async () => {
  const files = [
    "namespaces",
    "servers",
    "switches",
    "connections/servers",
    "connections/external",
    "peerings",
    "vpcs/web",
    "vpcs/data",
  ];
  const { code, stdout } = await fabricSync([
    "order",
    "--json",
    ...files.map((file) => `examples/fabric/${file}.yaml`),
  ]);
  expect(code).toBe(0);
  const { creation, deletion, cycles } = JSON.parse(stdout) as Record<"creation" | "deletion" | "cycles", string[]>;
  expect(cycles).toEqual([]);
  const place = (id: string): number => creation.findIndex((one) => one.endsWith(`/${id}`));
  const chain = ["leaf-01", "server-01--eslag--leaf-01--leaf-02", "web-front--server-01"].map(place);
  expect(chain).toEqual(chain.toSorted((a, b) => a - b));
  expect(chain).not.toContain(-1);
  expect(deletion).toEqual(creation.toReversed());
});

const FABRIC = `apiVersion: fabricsync.dev/v1alpha1
kind: Fabric
metadata: { name: lab, namespace: netops }
spec:
  references:
    - { group: example.com, kind: Widget, path: /spec/backends/*/name, targetGroup: example.com, targetKind: Widget }
    - { group: "", kind: ConfigMap, path: /spec/data/widget, targetGroup: example.com, targetKind: Widget }
`;
const OBJECTS = `apiVersion: example.com/v1
kind: Widget
metadata: { name: a, namespace: default }
spec: { backends: [{ name: b }, { name: nowhere }] }
---
apiVersion: example.com/v1
kind: Widget
metadata: { name: b }
spec: {}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: an-early-one
  namespace: default
  ownerReferences: [{ apiVersion: example.com/v1, kind: Zone, name: z, uid: x }]
data: { widget: a }
---
apiVersion: example.com/v1
kind: Zone
metadata: { name: z }
`;

test("owner references count, and the reference fields that a Fabric names, among the files or beside them", async () => {
  const folder = await mkdtemp(join(tmpdir(), "fabric-sync-order-"));
  try {
    const [fabric, objects, circle] = ["fabric.yaml", "objects.yaml", "circle.yaml"].map((name) => join(folder, name));
    await writeFile(fabric ?? "", FABRIC);
    await writeFile(objects ?? "", OBJECTS);
    await writeFile(
      circle ?? "",
      OBJECTS.replace("name: b }\nspec: {}", "name: b }\nspec: { backends: [{ name: a }] }"),
    );
    const ordered = async (...options: string[]) => {
      const { code, stdout, stderr } = await fabricSync(["order", "--json", ...options]);
      return { code, stderr, ...(JSON.parse(stdout || "{}") as Partial<ReturnType<typeof orderOf>>) };
    };
    const rest = ["Widget.example.com/b", "Widget.example.com/default/a", "Zone.example.com/z"];
    expect(await ordered(objects ?? "")).toMatchObject({
      creation: ["Zone.example.com/z", "ConfigMap/default/an-early-one", ...rest.slice(0, 2)],
      missing: [],
    });
    expect(await ordered("--references", fabric ?? "", objects ?? "")).toMatchObject({
      code: 0,
      creation: [...rest, "ConfigMap/default/an-early-one"],
      missing: [
        {
          from: "Widget.example.com/default/a",
          path: "/spec/backends/1/name",
          to: "Widget.example.com/default/nowhere",
        },
      ],
    });
    expect((await ordered(fabric ?? "", objects ?? "")).creation).toContain("Fabric.fabricsync.dev/netops/lab");
    expect(await ordered(fabric ?? "", circle ?? "")).toMatchObject({
      code: 1,
      cycles: [["Widget.example.com/b", "Widget.example.com/default/a"]],
    });
    await writeFile(fabric ?? "", FABRIC.replace("/spec/backends", "backends"));
    expect(await ordered(fabric ?? "")).toMatchObject({
      code: 64,
      stderr: expect.stringContaining("spec.references.0.path") as string,
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});
