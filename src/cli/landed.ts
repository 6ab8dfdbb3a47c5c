import { InvalidArgumentError } from "commander";
import type { Command } from "commander";
import { describeKey } from "../core/identity.ts";
import { FabricSyncError } from "../core/errors.ts";
import { hasLanded } from "../core/landed.ts";
import type { Landed } from "../core/landed.ts";
import { pause } from "../core/pause.ts";
import type { ReadingStore } from "../core/ports.ts";
import { configOf, DATABASE_SETTINGS, parseCount, parseFabricName, withSettings } from "./command.ts";
import type { FabricName } from "./command.ts";
import { EXIT } from "./exit.ts";
import type { Finish } from "./program.ts";
import { outJson } from "./shell.ts";
import type { Shell } from "./shell.ts";
import { table } from "./table.ts";
import { shortCommit } from "./words.ts";

/** Between two looks while waiting (ms): less than a person notices, and two small statements. */
const LOOK_MS = 500;
/** Seconds that `--wait` waits when it does not say: an apply by a pipeline, and two rounds of an agent. */
const WAIT_SECONDS = 300;

/** `landed NS/NAME COMMIT`: whether what a commit changed is in the cluster and on the devices. */
export function addLanded(program: Command, shell: Shell, finish: Finish): void {
  const command = program
    .command("landed")
    .description("whether a commit is in the cluster and on the devices; 1 when some of it is not, or nobody knows")
    .argument("<namespace/name>", "the Fabric", parseFabricName)
    .argument("<commit>", "its id, or the first 7 digits of it or more", parseCommit)
    .option("--wait [seconds]", `ask until it has landed, at most so long (default ${WAIT_SECONDS})`, parseCount)
    .option("--json", "print JSON");
  withSettings(command, DATABASE_SETTINGS).action(
    async (fabric: FabricName, prefix: string, options: { wait?: number | true; json?: true }) => {
      const config = await configOf(command, { database: true, cluster: false });
      const { fabricRecord, withStore } = await import("./store.ts");
      const seconds = options.wait === true ? WAIT_SECONDS : (options.wait ?? 0);
      const deadline = Date.now() + seconds * 1_000;
      const found = await withStore(config, shell, async (store) => {
        const { id } = await fabricRecord(store, fabric);
        for (;;) {
          const known = await look(store, id, prefix);
          const done = known !== null && hasLanded(known.objects);
          if (done || Date.now() >= deadline || shell.signal.aborted) return known;
          await pause(LOOK_MS, shell.signal);
        }
      });
      if (found === null) {
        throw new FabricSyncError(
          "NoSuchCommit",
          "stall",
          `commit ${prefix} changed no object that is known in ${fabric.namespace}/${fabric.name}; it may not be taken in yet`,
        );
      }
      if (!hasLanded(found.objects)) finish(EXIT.notWell);
      if (options.json)
        outJson(shell, {
          commit: found.commit,
          landed: hasLanded(found.objects),
          objects: found.objects,
        });
      else shell.out(landedText(found.commit, found.objects));
    },
  );
}

interface Found {
  readonly commit: string;
  readonly objects: readonly Landed[];
}

/** null when no such commit is known. */
async function look(
  store: Pick<ReadingStore, "commitLandings">,
  fabricId: string,
  prefix: string,
): Promise<Found | null> {
  const { commits, objects } = await store.commitLandings(fabricId, prefix);
  const [commit, ...others] = commits;
  if (commit === undefined) return null;
  if (others.length > 0) {
    throw new FabricSyncError(
      "AmbiguousCommit",
      "stall",
      `several commits begin with ${prefix}; give more of its digits`,
    );
  }
  return { commit, objects };
}

export function landedText(commit: string, objects: readonly Landed[]): string {
  const columns = table<Landed>(
    [
      { title: "OBJECT", value: (object) => describeKey(object), max: 60 },
      { title: "TAKEN IN", value: ({ takenIn }) => takenIn },
      { title: "CLUSTER", value: ({ inCluster }) => inCluster.replace("_", " ") },
      { title: "DEVICES", value: ({ onDevice }) => onDevice.replace("_", " ") },
      { title: "WHY", value: ({ reason }) => shortCommit(reason), max: 72 },
    ],
    objects,
  );
  const verdict = hasLanded(objects) ? "has landed" : "has not landed, as far as is known";
  return `${columns}\ncommit ${shortCommit(commit)} ${verdict}\n`;
}

function parseCommit(text: string): string {
  if (!/^[0-9a-f]{7,64}$/i.test(text))
    throw new InvalidArgumentError("give at least 7 hexadecimal digits of the commit.");
  return text.toLowerCase();
}
