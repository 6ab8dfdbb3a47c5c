import { policyOf } from "../core/errors.ts";
import { refusalOf, writeDeadLetter } from "./dead-letters.ts";
import { chunksOf, type Subject } from "./subject.ts";
import { createTally, type Tally } from "./tally.ts";
import type { Sql } from "./transaction.ts";
import { writeSubjects, type Work } from "./write-subjects.ts";
import type { TableWrite } from "./statement.ts";

/**
 * Writes a batch of which something is refused: each chunk behind a savepoint, halved while it fails, until the refused object is
 * alone. It goes to the dead letter table, all others and the cursor commit, in one transaction. One refused object of N costs
 * 2·log2(N) attempts.
 */
export async function writeCarefully(
  sql: Sql,
  work: Work,
  subjects: readonly Subject[],
  tail: readonly TableWrite[],
): Promise<Tally> {
  const tally = createTally();
  const careful = { ...work, careful: true };
  for (const chunk of chunksOf(subjects)) await halve(sql, careful, chunk, tally);
  // Alone: what is refused here is no object's fault, and is thrown.
  await writeSubjects(sql, work, [], tail, tally);
  return tally;
}

async function halve(sql: Sql, work: Work, subjects: readonly Subject[], tally: Tally): Promise<void> {
  const refusal = await refused(sql, () => writeSubjects(sql, work, subjects, [], tally));
  if (refusal === null) return;
  const [first] = subjects;
  if (first !== undefined && subjects.length === 1) return putAside(sql, work, first, refusal, tally);
  const middle = subjects.length >> 1;
  await halve(sql, work, subjects.slice(0, middle), tally);
  await halve(sql, work, subjects.slice(middle), tally);
}

/** One resource: its observations one by one, so that one side's trouble does not cost the other side. */
async function putAside(sql: Sql, work: Work, subject: Subject, refusal: Error, tally: Tally): Promise<void> {
  const [only] = subject.observations;
  if (only !== undefined && subject.observations.length === 1) {
    const facts = refusalOf(refusal);
    await writeDeadLetter(sql, only, facts);
    tally.refuse(only, facts);
    return;
  }
  for (const observation of subject.observations) {
    await halve(sql, work, [{ key: subject.key, observations: [observation] }], tally);
  }
}

/** Runs `write` behind a savepoint. The error when it was refused, null when it is written. */
async function refused(sql: Sql, write: () => Promise<void>): Promise<Error | null> {
  await sql.rows("SAVEPOINT part");
  try {
    await write();
  } catch (error) {
    if (policyOf(error) !== "dead-letter" || !(error instanceof Error)) throw error;
    await sql.rows("ROLLBACK TO SAVEPOINT part; RELEASE SAVEPOINT part");
    return error;
  }
  await sql.rows("RELEASE SAVEPOINT part");
  return null;
}
