import type { Command } from "commander";
import { FabricSyncError } from "../core/errors.ts";
import { configOf, DATABASE_SETTINGS, withSettings } from "./command.ts";
import { outJson } from "./shell.ts";
import type { Shell } from "./shell.ts";

/** `db rebuild-projections`: what is made of resources, made anew. */
export function addRebuild(group: Command, shell: Shell): void {
  const command = group
    .command("rebuild-projections")
    .description("make devices, links and references anew of the resources in the table, by difference")
    .option("--fabric <NS/NAME>", "only this fabric")
    .option("--json", "print JSON");
  withSettings(command, DATABASE_SETTINGS).action(async (options: { json?: true; fabric?: string }) => {
    const config = await configOf(command, { database: true, cluster: false });
    const { withStore } = await import("./store.ts");
    const rebuilt = await withStore(config, shell, async (store) => {
      const all = await store.listFabrics();
      const wanted = all.filter(({ namespace, name }) => [undefined, `${namespace}/${name}`].includes(options.fabric));
      if (options.fabric !== undefined && wanted.length === 0) {
        throw new FabricSyncError("FabricNotFound", "stall", `the table has no fabric ${options.fabric}`);
      }
      const figures = [];
      for (const { id, namespace, name } of wanted) {
        const figure = await store.rebuildProjections(await store.currentFence(id), shell.signal);
        figures.push({ fabric: `${namespace}/${name}`, ...figure });
      }
      return figures;
    });
    if (options.json) return outJson(shell, { fabrics: rebuilt });
    for (const { fabric, resources, writes } of rebuilt) {
      shell.out(`${fabric}: ${resources} resources read, ${writes} rows written or removed\n`);
    }
  });
}
