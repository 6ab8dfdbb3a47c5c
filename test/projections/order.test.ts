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
