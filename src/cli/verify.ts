import type { Command } from "commander";
import { ALL_SETTINGS, configOf, parseCount, parseFabricName, withSettings } from "./command.ts";
import type { FabricName } from "./command.ts";
import { EXIT } from "./exit.ts";
import type { Finish } from "./program.ts";
import { outJson } from "./shell.ts";
import type { Shell } from "./shell.ts";
import { isTrue, verifyText } from "./verify-view.ts";

/** `verify [NS/NAME]`: whether the table is the cluster, object by object. Reads both, writes nothing, needs no operator. */
export function addVerify(program: Command, shell: Shell, finish: Finish): void {
  const command = program
    .command("verify")
    .description("compare the table with the cluster, object by object; 1 when a row is wrong or a kind cannot be read")
    .argument("[namespace/name]", "one Fabric", parseFabricName)
    .option("--settle <seconds>", "how long a row may take to follow a change that is made meanwhile", parseCount, 10)
    .option("--json", "print JSON, with every row that is wrong");
  withSettings(command, ALL_SETTINGS).action(
    async (fabric: FabricName | undefined, options: { json?: true; settle: number }) => {
      const config = await configOf(command, { database: true, cluster: true });
      const { chosenFabric, withStore } = await import("./store.ts");
      const { verifyFabrics } = await import("./verify-fabrics.ts");
      const verdicts = await withStore(config, shell, async (store) => {
        const fabrics = await store.summarise();
        const chosen =
          fabric === undefined
            ? fabrics.filter(({ detachedAt }) => detachedAt === null)
            : [chosenFabric(fabrics, fabric)];
        return verifyFabrics(config, chosen, store, { settleMs: options.settle * 1_000, signal: shell.signal });
      });
      if (!verdicts.every(isTrue)) finish(EXIT.notWell);
      if (options.json) outJson(shell, verdicts);
      else shell.out(verifyText(verdicts));
    },
  );
}
