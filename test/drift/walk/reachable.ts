/**
 * Which changes of state there can be at all: found by the reducer itself, breadth first, over everything that can happen to one object.
 *
 * The alphabet is finite: two values, with and without a deletion that waits, the same object or one made anew; both sides seen, repeated, moved and gone;
 * each answer that the API server can give; each way in which the Fabric or what it can read becomes another. A change of the Fabric is judged row by
 * row, so that whatever else happens may come first.
 */
import { questionOf } from "../../../src/core/drift.ts";
import type { Reduction } from "../../../src/core/reduce.ts";
import type { ResourceRow } from "../../../src/core/row.ts";
import { readSyncMetadata } from "../../../src/core/sync-metadata.ts";
import { AGENT, WIDGET } from "../../core/observations.ts";
import { policyOf, steps, worldSteps } from "./alphabet.ts";
import type { Place, Step, World } from "./alphabet.ts";

/** What comes of a walk over everything. */
export interface Reachable {
  /** `was → is` of resource_state. */
  readonly states: ReadonlySet<string>;
  /** The same of conflict_status. */
  readonly conflicts: ReadonlySet<string>;
  /** Changes of state, drift or conflict that no event tells of. */
  readonly silent: readonly string[];
}

const START: World = { mode: "server_side", hasGit: true, gitRead: false, kindListed: false, watched: true };
/** One that Git owns, one that the platform generates, and one that it generates where Git does not declare it. */
const KINDS = [WIDGET, AGENT, { apiVersion: "wiring.githedgehog.com/v1beta1", kind: "VLANNamespace" }];
/** It takes a third for both sides to move away from where they agreed, and from each other. */
const VALUES = [1, 2, 3];

/** Two values are all that a state can tell apart. */
const TWO = VALUES.slice(0, 2);

/** Every change of state, in every world. What a conflict remembers is left out of account: no state depends on it. */
export function reachableStates(): Reachable {
  return explore(KINDS, START, TWO, true);
}

/** Every change of conflict, in a Fabric that stays as it is. */
export function reachableConflicts(): Reachable {
  return explore([WIDGET], { ...START, gitRead: true, kindListed: true }, VALUES, false);
}

function explore(
  kinds: readonly (typeof WIDGET)[],
  start: World,
  values: readonly number[],
  changing: boolean,
): Reachable {
  const [states, conflicts] = [new Set<string>(), new Set<string>()];
  const silent: string[] = [];
  for (const kind of kinds) {
    const seen = new Set<string>();
    const queue: Place[] = [{ row: null, world: start }];
    for (let place = queue.shift(); place !== undefined; place = queue.shift()) {
      const worlds = changing ? worldSteps(place.world).map(([what, world]): Step => ({ what, world })) : [];
      for (const { what, world, reduction } of [...worlds, ...steps(place, kind, values)]) {
        const row = reduction?.row ?? place.row;
        const [was, is] = [toldOf(place.row), toldOf(row)];
        if (was.state !== is.state) states.add(`${was.state} → ${is.state}`);
        if (was.conflict !== is.conflict) conflicts.add(`${was.conflict} → ${is.conflict}`);
        const moved = was.state !== is.state || was.drift !== is.drift || was.conflict !== is.conflict;
        if (moved && !isToldBy(reduction, was, is)) silent.push(`${what}: ${JSON.stringify([was, is])}`);
        const next = { row, world };
        const print = fingerprint(next, kind, !changing);
        if (seen.has(print)) continue;
        seen.add(print);
        queue.push(next);
      }
    }
  }
  return { states, conflicts, silent };
}

interface Told {
  readonly state: string;
  readonly drift: string;
  readonly conflict: string;
}

/** A row that is not there yet says what a new one says. */
function toldOf(row: ResourceRow | null): Told {
  const { resourceState, driftStatus, conflictStatus } = row ?? {
    ...{ resourceState: "pending", driftStatus: "unknown", conflictStatus: "none" },
  };
  return { state: resourceState, drift: driftStatus, conflict: conflictStatus };
}

function isToldBy(reduction: Reduction | undefined, was: Told, is: Told): boolean {
  if (reduction?.outcome !== "changed") return false;
  const { stateBefore, stateAfter, driftBefore, driftAfter, trigger } = reduction.event;
  return (
    trigger.length > 0 &&
    stateBefore === was.state &&
    stateAfter === is.state &&
    driftBefore === was.drift &&
    driftAfter === is.drift
  );
}

/** What later steps depend on; times and versions are none of it. */
function fingerprint({ row, world }: Place, kind: typeof WIDGET, remembering: boolean): string {
  if (row === null) return JSON.stringify([world]);
  const { check, pending, sinceAgreed } = readSyncMetadata(row.syncMetadata);
  return JSON.stringify([
    world,
    row.desiredSpec,
    row.actualSpec,
    [row.desiredUpdated === null, row.actualUpdated === null, row.deletionRequestedAt === null],
    toldOf(row),
    [row.driftDetails["awaiting"], row.driftDetails["again"]],
    check === null || check.key !== questionOf(row, policyOf(world, kind)) ? null : check.outcome,
    remembering && [
      sinceAgreed.desired === null,
      sinceAgreed.actual === null,
      pending?.desired == null,
      pending?.actual == null,
    ],
  ]);
}
