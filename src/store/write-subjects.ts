import { keyString, type ResourceKey } from "../core/identity.ts";
import type { Fence } from "../core/ports.ts";
import type { Side } from "../core/vocabulary.ts";
import { deadLetterClearance } from "./dead-letters.ts";
import { derivedOf } from "./derived-rows.ts";
import type { Fold, Folded } from "./fold.ts";
import { readRows, type ExpectedCursor, type FoundRows } from "./read-rows.ts";
import { StoreError } from "./store-error.ts";
import { inSlices } from "./slices.ts";
import { tablePart, type TableWrite } from "./statement.ts";
import type { Subject } from "./subject.ts";
import type { Outcome, Tally } from "./tally.ts";
import type { Sql } from "./transaction.ts";
import { writeRows } from "./write-rows.ts";

/**
 * Rounds of read and write before the whole transaction is given up and tried again. The second round locks what it reads, so
 * only keys that others insert at the same time can need a third.
 */
const ROUNDS = 5;

/** What is done to each subject, and by whose right. */
export interface Work {
  readonly fence: Fence;
  readonly fold: Fold;
  readonly expected?: readonly ExpectedCursor[];
  /** Something was refused before: what it is in a projection is looked for. */
  readonly careful?: boolean;
  /** The statement that writes commits with it: what another writer changed in between is `DoneAgain`. */
  readonly atOnce?: boolean;
}

/** Reads, folds and writes some subjects, and `tail` with them. What another writer changed in between is done again. */
export async function writeSubjects(
  sql: Sql,
  work: Work,
  subjects: readonly Subject[],
  tail: readonly TableWrite[],
  tally: Tally,
): Promise<void> {
  const { fence, careful = false, atOnce = false } = work;
  const { fabricId } = fence;
  let pending = subjects;
  let others = tail;
  // Counted at the end: a round that fails takes back what earlier rounds wrote.
  const outcomes: Outcome[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    const keys = pending.map(({ key }) => key);
    const found = await readRows(sql, fence, keys, round > 1, work.expected);
    const folded = await inSlices(pending, (subject) => work.fold(subject, found.rows.get(keyString(subject.key))));
    const changes = folded.flatMap(({ change }) => (change === null ? [] : [change]));
    const cleared = clearable(found, folded);
    if (cleared.length > 0) others = [...others, deadLetterClearance(cleared)];
    const parts = others.map(tablePart);
    // Where something was refused before, what it is in a projection is looked for after the rows.
    if (!careful) parts.push(...(await derivedOf(fabricId, folded, found)).parts);
    const written = await writeRows(sql, fabricId, changes, parts, atOnce);
    const isDone = ({ change }: Folded): boolean => change === null || written.has(change.row.id);
    if (careful) await (await derivedOf(fabricId, folded.filter(isDone), found)).writeCarefully(sql);
    for (const one of folded.filter(isDone)) outcomes.push(...one.outcomes);
    pending = folded.filter((one) => !isDone(one)).map(({ subject }) => subject);
    if (pending.length === 0) return outcomes.forEach(tally.count);
    others = [];
  }
  throw new StoreError("StoreConflict", "retry", "other writers kept changing the same rows", {
    sqlstate: "40001",
    dropConnection: false,
  });
}

/** Sides that have a dead letter and were seen again since: what was refused then is not the newest any more. */
function clearable({ refused }: FoundRows, folded: readonly Folded[]): (readonly [ResourceKey, Side])[] {
  if (refused.length === 0) return [];
  const seen = new Set<string>();
  for (const { subject, outcomes } of folded) {
    subject.observations.forEach(({ key, side }, index) => {
      if (outcomes[index] !== "stale") seen.add(`${keyString(key)}\0${side}`);
    });
  }
  return refused.filter(([key, side]) => seen.has(`${keyString(key)}\0${side}`));
}
