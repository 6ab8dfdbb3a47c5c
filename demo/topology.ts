import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { topologySvg } from "../src/cli/topology-svg.ts";
import { topologyTable } from "../src/cli/topology-view.ts";
import type { Topology } from "../src/core/ports.ts";
import { createPool } from "../src/store/pool.ts";
import { createStore } from "../src/store/store.ts";
import { waitFor } from "../test/support/wait.ts";
import type { Narrator } from "./narrator.ts";
import { FABRIC, NAMESPACE, type Stage } from "./stage.ts";

/** Cables of the example fabric that are as they are declared; of the others two are dark, and one leads out of it. */
const WELL = 23;

/** Every cable of the example fabric with its verdict, as a table and as a drawing: what `fabric-sync topology` tells. */
export async function tellTopology({ database }: Pick<Stage, "database">, narrator: Narrator): Promise<void> {
  // What the agents report arrives a moment after what they are.
  const map = await waitFor("the agents' reports", async () => {
    const now = await topologyOf(database.url);
    return now.links.filter(({ verdict }) => verdict === "match").length === WELL && now;
  }).catch(() => topologyOf(database.url));
  narrator.say(`$ fabric-sync topology ${NAMESPACE}/${FABRIC}`);
  narrator.show(topologyTable(map));
  const file = join(tmpdir(), "fabric-sync-topology.svg");
  await writeFile(file, topologySvg(map, `${NAMESPACE}/${FABRIC}`));
  narrator.say(`$ fabric-sync topology ${NAMESPACE}/${FABRIC} --format svg > ${file}`);
  const dark = map.links.filter(({ verdict }) => verdict === "down" || verdict === "missing");
  // An attachment is what an External has of a cable that leads out.
  const cables = map.links.filter(({ kind }) => kind !== "attachment");
  narrator.check(
    `${cables.length} cables, and the two that are dark are found: ${dark.map(({ deviceA, deviceB }) => `${deviceA} – ${deviceB}`).join(", ")}`,
    cables.length === 26 && dark.length === 2,
  );
}

async function topologyOf(connectionString: string): Promise<Topology> {
  const pool = createPool({ connection: { connectionString }, onConnectionError: () => undefined });
  try {
    const store = createStore(pool);
    const fabric = (await store.listFabrics()).find(({ name }) => name === FABRIC);
    if (fabric === undefined) throw new Error(`the table has no fabric ${FABRIC}`);
    return await store.readTopology(fabric.id);
  } finally {
    await pool.end();
  }
}
