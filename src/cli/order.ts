import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { identify } from "../core/normalise.ts";
import { isJsonObject } from "../core/json.ts";
import { REFERENCES } from "../core/references.ts";
import { orderOf } from "../core/relations-order.ts";
import type { Order, OrderNode } from "../core/relations-order.ts";
import { referencesIn } from "../core/relations.ts";
import { readManifests } from "../sources/git/reading/manifests.ts";
import { EXIT, UsageError } from "./exit.ts";
import type { Finish } from "./program.ts";
import { outJson } from "./shell.ts";
import type { Shell } from "./shell.ts";

/** More documents than any one file of a fabric has: a bound, not a limit to work with. */
const MAX_DOCUMENTS = 10_000;

/** `order FILE…`: in which order the objects of some files can be made, and removed. */
export function addOrder(program: Command, shell: Shell, finish: Finish): void {
  program
    .command("order")
    .description("the safe order of creation of the objects in some files; 1 when they refer to each other in a circle")
    .argument("<file...>", "YAML or JSON files")
    .option("--delete", "the safe order of deletion instead")
    .option("--json", "print JSON: both orders, circles, and references that lead out of the files")
    .action(async (files: readonly string[], options: { json?: true; delete?: true }) => {
      const order = orderOf((await Promise.all(files.map(nodesOf))).flat());
      if (order.cycles.length > 0) finish(EXIT.notWell);
      if (options.json) return outJson(shell, { ...order, deletion: order.creation.toReversed() });
      shell.out(orderText(order, options.delete === true));
    });
}

async function nodesOf(file: string): Promise<OrderNode[]> {
  const bytes = await readFile(file).catch((error: unknown): never => {
    throw new UsageError(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  });
  const { manifests, rejections } = readManifests(bytes, MAX_DOCUMENTS);
  const [refused] = rejections;
  if (refused !== undefined) throw new UsageError(`${file}:${refused.line}:${refused.column} ${refused.message}`);
  return manifests.map(({ object }): OrderNode => {
    const { apiGroup, kind, namespace, name } = identify(object, { fabricId: "" }).key;
    const spec = isJsonObject(object["spec"]) ? object["spec"] : {};
    const references = referencesIn({ namespace, name }, "desired", spec, REFERENCES.get(`${kind}.${apiGroup}`) ?? []);
    return {
      id: idOf(apiGroup, kind, namespace, name),
      refersTo: references.map((edge) => ({
        id: idOf(edge.targetApiGroup, edge.targetKind, edge.targetNamespace, edge.targetName),
        path: edge.path,
      })),
    };
  });
}

/** As people write it, and as `explain` takes it. */
function idOf(apiGroup: string, kind: string, namespace: string, name: string): string {
  return `${apiGroup === "" ? kind : `${kind}.${apiGroup}`}/${namespace === "" ? "" : `${namespace}/`}${name}`;
}

function orderText({ creation, cycles, missing }: Order, backwards: boolean): string {
  const lines = backwards ? creation.toReversed() : creation;
  const circles = cycles.map((members) => `in a circle: ${members.join(", ")}\n`);
  const outside = missing.map(({ from, path, to }) => `not in these files: ${to} (${from} ${path})\n`);
  const notes = [...circles, ...outside];
  return `${lines.map((line) => `${line}\n`).join("")}${notes.length > 0 ? "\n" : ""}${notes.join("")}`;
}
