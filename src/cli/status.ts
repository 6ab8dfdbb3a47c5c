import type { Command } from "commander";
import { configOf, DATABASE_SETTINGS, parseFabricName, withSettings } from "./command.ts";
import type { FabricName } from "./command.ts";
import { EXIT } from "./exit.ts";
import type { Finish } from "./program.ts";
import { outJson } from "./shell.ts";
import type { Shell } from "./shell.ts";
import { fabricDetails, fabricsTable, isWell } from "./status-view.ts";

/** `status [NS/NAME]`: from stored facts alone, so it tells the truth while the operator is away. */
export function addStatus(program: Command, shell: Shell, finish: Finish): void {
  const command = program
    .command("status")
    .description("how every fabric stands, or one of them in detail; 1 when something is not well")
    .argument("[namespace/name]", "one Fabric", parseFabricName)
    .option("--json", "print JSON");
  withSettings(command, DATABASE_SETTINGS).action(async (fabric: FabricName | undefined, options: { json?: true }) => {
    const config = await configOf(command, { database: true, cluster: false });
    const { chosenFabric, withStore } = await import("./store.ts");
    const summaries = await withStore(config, shell, (store) => store.summarise());
    const chosen = fabric === undefined ? summaries : [chosenFabric(summaries, fabric)];
    const [first] = chosen;
    if (!chosen.every(isWell)) finish(EXIT.notWell);
    if (options.json) {
      const told = chosen.map((summary) => ({ ...summary, well: isWell(summary) }));
      outJson(shell, fabric === undefined ? told : told[0]);
    } else if (fabric !== undefined && first !== undefined) {
      shell.out(fabricDetails(first, Date.now()));
    } else if (first === undefined) {
      shell.out("No fabric yet. Apply a Fabric while fabric-sync runs, or use fabric-sync sync --once.\n");
    } else {
      shell.out(fabricsTable(chosen, Date.now()));
    }
  });
}
