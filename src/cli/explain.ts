import type { Command } from "commander";
import { describeKey } from "../core/identity.ts";
import { FabricSyncError } from "../core/errors.ts";
import { rowKey } from "../core/row.ts";
import type { ResourceRow } from "../core/row.ts";
import {
  configOf,
  DATABASE_SETTINGS,
  parseCount,
  parseFabricName,
  parseResourceName,
  withSettings,
} from "./command.ts";
import type { FabricName, ResourceName } from "./command.ts";
import { EXIT, UsageError } from "./exit.ts";
import { explainText } from "./explain-view.ts";
import type { Finish } from "./program.ts";
import { outJson } from "./shell.ts";
import type { Shell } from "./shell.ts";

/** `explain NS/NAME KIND/NAME`: both sides, drift with its place, who changed it, what it refers to and what refers to it, and its history. */
export function addExplain(program: Command, shell: Shell, finish: Finish): void {
  const command = program
    .command("explain")
    .description(
      "one resource: both sides, drift and where it comes from, references both ways, history; 1 when the database refused a side",
    )
    .argument("<namespace/name>", "the Fabric", parseFabricName)
    .argument("<kind/name>", "the resource, as KIND/NAME or KIND.GROUP/NAMESPACE/NAME", parseResourceName)
    .option("--events <count>", "how many events of its history", parseCount, 20)
    .option("--json", "print JSON");
  withSettings(command, DATABASE_SETTINGS).action(
    async (fabric: FabricName, resource: ResourceName, options: { json?: true; events: number }) => {
      const config = await configOf(command, { database: true, cluster: false });
      const { fabricRecord, withStore } = await import("./store.ts");
      const story = await withStore(config, shell, async (store) => {
        const { id: fabricId } = await fabricRecord(store, fabric);
        const { kind, namespace, name } = resource;
        const query = { fabricId, kind, name, ...(namespace === undefined ? {} : { namespace }) };
        const row = theOne(await store.findResources(query), fabric, resource);
        return store.explain(rowKey(row), options.events);
      });
      if (story === null) throw notFound(fabric, resource);
      if (story.deadLetters.length > 0) finish(EXIT.notWell);
      if (options.json) outJson(shell, story);
      else shell.out(explainText(story, `${fabric.namespace}/${fabric.name}`, Date.now()));
    },
  );
}

/** The one row that is meant. @throws UsageError when it may be one of several. */
function theOne(rows: readonly ResourceRow[], fabric: FabricName, resource: ResourceName): ResourceRow {
  const matching = rows.filter(({ apiGroup }) => resource.group === undefined || resource.group === apiGroup);
  const [first, ...others] = matching;
  if (first === undefined) throw notFound(fabric, resource);
  if (others.length === 0) return first;
  const choices = matching.map((row) => `\n  ${describeKey(row)}`).join("");
  throw new UsageError(
    `${matching.length} resources have that name; give KIND.GROUP/NAMESPACE/NAME of one of them:${choices}`,
  );
}

function notFound(fabric: FabricName, { kind, namespace, name }: ResourceName): FabricSyncError {
  const what = namespace === undefined ? `${kind}/${name}` : `${kind}/${namespace}/${name}`;
  return new FabricSyncError(
    "NoSuchResource",
    "stall",
    `no resource ${what} in ${fabric.namespace}/${fabric.name}; kind and name are matched exactly, as in VPC/vpc-1`,
  );
}
