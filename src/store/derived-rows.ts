import { keyString } from "../core/identity.ts";
import { rowKey, type ResourceRow } from "../core/row.ts";
import type { Folded } from "./fold.ts";
import { planOf, tellingOf, type Telling } from "./plan-projections.ts";
import { runAlone } from "./projection-statement.ts";
import type { FoundRows } from "./read-rows.ts";
import { inSlices } from "./slices.ts";
import { beatOf, beatPart, showsAnew, sightingOf, snapshotPart, snapshotsOf } from "./snapshots.ts";
import type { Part } from "./statement.ts";
import type { Sql } from "./transaction.ts";
import { projectionParts, writeProjectionsCarefully } from "./write-projections.ts";

/** What follows from resources, in the transaction of their rows: projections, references, refused parts, raw observations. */
export interface Derived {
  /** As parts of the statement that writes the rows. */
  readonly parts: readonly Part[];
  /** After that statement, where something was refused: what it is, is looked for. */
  writeCarefully(sql: Sql): Promise<void>;
}

export async function derivedOf(fabricId: string, folded: readonly Folded[], found: FoundRows): Promise<Derived> {
  const told = (await inSlices(folded, (one) => toldBy(one, found))).filter((one) => one !== null);
  const lettered = (row: ResourceRow): boolean => found.lettered.has(keyString(rowKey(row)));
  const plan = planOf(told, lettered);
  const shown = snapshotsOf(told.flatMap((one) => (one.seen === null ? [] : [{ ...one, seen: one.seen }])));
  const beats = folded.map(beatOf).filter((beat) => beat !== null);
  const kept = beats.length === 0 ? [] : [beatPart(beats)];
  return {
    parts: [...projectionParts(plan, lettered), ...(shown.length === 0 ? [] : [snapshotPart(shown)]), ...kept],
    async writeCarefully(sql) {
      await writeProjectionsCarefully(sql, fabricId, plan, lettered);
      // Devices are there by now, those that Postgres took.
      const there = shown.map((snapshot) => ({ ...snapshot, isWritten: false }));
      const parts = [...(there.length === 0 ? [] : [snapshotPart(there)]), ...kept];
      const ids = shown.map(({ resourceId }) => resourceId);
      if (parts.length > 0) await runAlone(sql, fabricId, ids, parts);
    },
  };
}

interface Told extends Telling {
  /** The observation that is kept. */
  readonly seen: ReturnType<typeof sightingOf>;
}

/**
 * null where nothing can be told: a verdict tells nothing new of the network. A heartbeat that is written tells as a rule what is told already; a
 * path that the Fabric calls volatile may tell more, and the tables always say what the rows say.
 */
function toldBy(folded: Folded, { references }: FoundRows): Told | null {
  const { change } = folded;
  if (change === null) return null;
  const isShown = showsAnew(folded);
  if (!isShown && change.events.every(({ eventType }) => eventType === "reclassified")) return null;
  return { ...tellingOf(change, references), seen: isShown ? sightingOf(folded) : null };
}
