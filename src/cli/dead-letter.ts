import type { Command } from "commander";
import type { DeadLetterQuery } from "../core/ports.ts";
import { ALL_SETTINGS, configOf, DATABASE_SETTINGS, parseFabricName, withSettings } from "./command.ts";
import type { FabricName } from "./command.ts";
import { deadLettersTable } from "./dead-letter-view.ts";
import type { ListedDeadLetter } from "./dead-letter-view.ts";
import { EXIT, UsageError } from "./exit.ts";
import type { Finish } from "./program.ts";
import { outJson } from "./shell.ts";
import type { Shell } from "./shell.ts";
import { plural } from "./words.ts";

interface Choice {
  readonly json?: true;
  readonly id?: string[];
  readonly kind?: string;
  readonly name?: string;
  readonly all?: true;
}

/** `dead-letter list | retry | drop`: what the database refused, and what to do about it. */
export function addDeadLetter(program: Command, shell: Shell, finish: Finish): void {
  const group = program.command("dead-letter").description("observations that the database refused");
  addList(group, shell);
  addRetry(group, shell, finish);
  addDrop(group, shell);
}

function addList(group: Command, shell: Shell): void {
  const command = choosing(group.command("list").argument("[namespace/name]", "one Fabric", parseFabricName))
    .description("each refused observation with its reason")
    .option("--json", "print JSON, with the refused content");
  withSettings(command, DATABASE_SETTINGS).action(async (fabric: FabricName | undefined, options: Choice) => {
    const config = await configOf(command, { database: true, cluster: false });
    const { chosenFabric, withStore } = await import("./store.ts");
    const listed = await withStore(config, shell, async (store) => {
      const fabrics = await store.listFabrics();
      const found: ListedDeadLetter[] = [];
      for (const { id, namespace, name } of fabric === undefined ? fabrics : [chosenFabric(fabrics, fabric)]) {
        const letters = await store.listDeadLetters({ fabricId: id, ...narrowed(options) });
        found.push(...letters.map((letter) => ({ fabric: `${namespace}/${name}`, ...letter })));
      }
      return found;
    });
    if (options.json) outJson(shell, listed);
    else if (listed.length === 0) shell.out("The database refused nothing.\n");
    else shell.out(deadLettersTable(listed, Date.now()));
  });
}

function addRetry(group: Command, shell: Shell, finish: Finish): void {
  const command = choosing(group.command("retry").argument("<namespace/name>", "the Fabric", parseFabricName))
    .description("offer them to the database again; 1 when some are refused again")
    .option("--json", "print JSON");
  withSettings(command, ALL_SETTINGS).action(async (fabric: FabricName, options: Choice) => {
    const config = await configOf(command, { database: true, cluster: true });
    const { withStore, fabricRecord } = await import("./store.ts");
    const { policyOfFabric } = await import("./fabric-policy.ts");
    const result = await withStore(config, shell, async (store) => {
      const record = await fabricRecord(store, fabric);
      const policy = await policyOfFabric(config, record, store, shell.signal);
      return store.retryDeadLetters(await store.currentFence(record.id), policy, narrowed(options));
    });
    const refused = result.deadLettered.length;
    if (refused > 0) finish(EXIT.notWell);
    if (options.json) outJson(shell, result);
    else shell.out(`${plural(result.observations - refused, "observation")} taken in, ${refused} refused again.\n`);
  });
}

function addDrop(group: Command, shell: Shell): void {
  const command = choosing(group.command("drop").argument("<namespace/name>", "the Fabric", parseFabricName))
    .description("give up on them: their sides stay as they were before")
    .option("--all", "all of the Fabric")
    .option("--json", "print JSON");
  withSettings(command, DATABASE_SETTINGS).action(async (fabric: FabricName, options: Choice) => {
    const narrow = narrowed(options);
    if (options.all === undefined && Object.keys(narrow).length === 0) {
      throw new UsageError("say which: --id, --kind, --name, or --all");
    }
    if (options.all !== undefined && Object.keys(narrow).length > 0) {
      throw new UsageError("--all does not go with --id, --kind or --name");
    }
    const config = await configOf(command, { database: true, cluster: false });
    const { fabricRecord, withStore } = await import("./store.ts");
    const dropped = await withStore(config, shell, async (store) => {
      const { id } = await fabricRecord(store, fabric);
      return store.dropDeadLetters({ fabricId: id, ...narrow });
    });
    if (options.json) outJson(shell, { dropped });
    else shell.out(`${plural(dropped, "dead letter")} dropped.\n`);
  });
}

function choosing(command: Command): Command {
  return command
    .option("--id <id...>", "those with these ids, as list prints them")
    .option("--kind <kind>", "those of this kind")
    .option("--name <name>", "those of this name");
}

function narrowed({ id, kind, name }: Choice): Omit<DeadLetterQuery, "fabricId"> {
  return {
    ...(id === undefined ? {} : { ids: id }),
    ...(kind === undefined ? {} : { kind }),
    ...(name === undefined ? {} : { name }),
  };
}
