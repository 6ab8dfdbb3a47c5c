import { Option, type Command } from "commander";
import type { Topology } from "../core/ports.ts";
import { configOf, DATABASE_SETTINGS, parseFabricName, withSettings } from "./command.ts";
import type { FabricName } from "./command.ts";
import { outJson } from "./shell.ts";
import type { Shell } from "./shell.ts";
import { topologySvg } from "./topology-svg.ts";
import { narrowed, topologyDot, topologyMermaid, topologyTable } from "./topology-view.ts";

const FORMATS = ["table", "json", "dot", "mermaid", "svg"] as const;
interface TopologyOptions {
  readonly format: (typeof FORMATS)[number];
  readonly device?: readonly string[];
  readonly role?: string;
  readonly site?: string;
}

/** `topology NS/NAME`: the links of a fabric with their verdicts, to read or to look at. */
export function addTopology(program: Command, shell: Shell): void {
  const command = program
    .command("topology")
    .description("the links of a fabric, declared and observed, each with its verdict; as text or as a drawing")
    .argument("<namespace/name>", "the Fabric", parseFabricName)
    .addOption(new Option("--format <format>", "how it is told").choices(FORMATS).default("table"))
    .option("--device <name...>", "only these devices, with the links that lead out of them")
    .option("--role <role>", "only devices of this role")
    .option("--site <site>", "only devices at this site");
  withSettings(command, DATABASE_SETTINGS).action(async (fabric: FabricName, options: TopologyOptions) => {
    const config = await configOf(command, { database: true, cluster: false });
    const { fabricRecord, withStore } = await import("./store.ts");
    const all = await withStore(config, shell, async (store) => {
      const { id } = await fabricRecord(store, fabric);
      return store.readTopology(id);
    });
    const { device = [], role, site, format } = options;
    const map = narrowed(all, {
      devices: device,
      ...(role === undefined ? {} : { role }),
      ...(site === undefined ? {} : { site }),
    });
    if (format === "json") outJson(shell, map);
    else shell.out(drawn(map, format, `${fabric.namespace}/${fabric.name}`));
  });
}

function drawn(map: Topology, format: Exclude<TopologyOptions["format"], "json">, title: string): string {
  if (format === "svg") return topologySvg(map, title);
  if (format === "dot") return topologyDot(map);
  return format === "mermaid" ? topologyMermaid(map) : topologyTable(map);
}
