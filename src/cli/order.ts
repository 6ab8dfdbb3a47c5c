import type { Command } from "commander";
import { orderOf } from "../core/relations-order.ts";
import type { Order } from "../core/relations-order.ts";
import { EXIT } from "./exit.ts";
import { manifestsOf, nodesOf, rulesOf } from "./order-files.ts";
import type { Finish } from "./program.ts";
import { outJson } from "./shell.ts";
import type { Shell } from "./shell.ts";

/** `order FILE…`: in which order the objects of some files can be made, and removed. */
export function addOrder(program: Command, shell: Shell, finish: Finish): void {
  program
    .command("order")
    .description("the safe order of creation of the objects in some files; 1 when they refer to each other in a circle")
    .argument("<file...>", "YAML or JSON files")
    .option("--delete", "the safe order of deletion instead")
    .option(
      "--references <file>",
      "a Fabric whose spec.references count, too; those of a Fabric among the files do anyway",
    )
    .option("--json", "print JSON: both orders, circles, and references that lead out of the files")
    .action(async (files: readonly string[], options: { json?: true; delete?: true; references?: string }) => {
      const manifests = (await Promise.all(files.map(manifestsOf))).flat();
      const named = options.references === undefined ? [] : await manifestsOf(options.references);
      const order = orderOf(nodesOf(manifests, rulesOf([...manifests, ...named])));
      if (order.cycles.length > 0) finish(EXIT.notWell);
      if (options.json) return outJson(shell, { ...order, deletion: order.creation.toReversed() });
      shell.out(orderText(order, options.delete === true));
    });
}

function orderText({ creation, cycles, missing }: Order, backwards: boolean): string {
  const lines = backwards ? creation.toReversed() : creation;
  const circles = cycles.map((members) => `in a circle: ${members.join(", ")}\n`);
  const outside = missing.map(({ from, path, to }) => `not in these files: ${to} (${from} ${path})\n`);
  const notes = [...circles, ...outside];
  return `${lines.map((line) => `${line}\n`).join("")}${notes.length > 0 ? "\n" : ""}${notes.join("")}`;
}
