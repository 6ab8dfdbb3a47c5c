import { compareKeys, keyString, type ResourceKey } from "../core/identity.ts";
import type { Observation } from "../core/observation.ts";
import { weightOf } from "./weight.ts";

/** The observations of one resource, in the order in which they were made: the unit that is written or refused. */
export interface Subject {
  readonly key: ResourceKey;
  readonly observations: readonly Observation[];
}

/** Groups a batch by resource, in key order: every writer locks in this order, so two cannot wait for each other. */
export function subjectsOf(observations: readonly Observation[]): Subject[] {
  const byKey = new Map<string, { key: ResourceKey; observations: Observation[] }>();
  for (const observation of observations) {
    const id = keyString(observation.key);
    const subject = byKey.get(id);
    if (subject === undefined) byKey.set(id, { key: observation.key, observations: [observation] });
    else subject.observations.push(observation);
  }
  return [...byKey.values()].sort((a, b) => compareKeys(a.key, b.key));
}

/** Most resources of one statement: 500 measured best; more only makes locks last longer. */
const CHUNK_ROWS = 500;
/** Most content of one statement (bytes): memory of a batch stays a few times this, however large its objects are. */
const CHUNK_BYTES = 4 * 1024 * 1024;

/** Cuts a batch into statements. Order is kept; a chunk holds at least one subject. */
export function* chunksOf(subjects: readonly Subject[]): Generator<Subject[], void> {
  let chunk: Subject[] = [];
  let bytes = 0;
  for (const subject of subjects) {
    const weight = subject.observations.reduce((sum, observation) => sum + weightOf(observation), 0);
    if (chunk.length > 0 && (chunk.length >= CHUNK_ROWS || bytes + weight > CHUNK_BYTES)) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(subject);
    bytes += weight;
  }
  if (chunk.length > 0) yield chunk;
}
