import type { ReferenceRule } from "../core/references.ts";
import { edgesOf } from "../core/relations.ts";
import type { ResourceRow } from "../core/row.ts";
import { hasProjection, project } from "../projections/project.ts";
import { SETS, type Projection, type SetName } from "../projections/projection.ts";
import type { Refused } from "./part-refusals.ts";
import type { Replacement } from "./projection-statement.ts";
import { DEVICE, EDGE, SET_TABLES } from "./projection-tables.ts";

/** A resource that is written, and what the table holds of it. */
export interface Change {
  readonly row: ResourceRow;
  /** null: a new row, or everything is to be written anew. */
  readonly before: ResourceRow | null;
  /** Whatever the row is, what its projections hold may be another's doing. */
  readonly anew?: true;
}

/** What a resource tells of the network and refers to. */
export interface Telling {
  readonly row: ResourceRow;
  /** Whether the tables may hold rows of it already. */
  readonly isKnown: boolean;
  /** null where the kind tells nothing. */
  readonly projection: Projection | null;
  /** Whether it tells the same as before. */
  readonly isSame: boolean;
  /** Of what it tells, the sets that are as they were; the devices only where their sets are the same ones. */
  readonly kept: ReadonlySet<SetName | "devices">;
  /** null when they are as they were. */
  readonly edges: ReturnType<typeof edgesOf> | null;
}

/** @param references reference fields that the Fabric names */
export function tellingOf(change: Change, references: readonly ReferenceRule[]): Telling {
  const { row, before, anew = false } = change;
  const projection = hasProjection(row) ? project(row) : null;
  const told = projection === null || before === null ? null : project(before);
  const same = (of: keyof Projection): boolean =>
    projection !== null && told !== null && sameFacts(projection[of], told[of]);
  const kept = new Set<SetName | "devices">(
    SETS.filter(
      (set) => projection?.observed.includes(set) === true && told?.observed.includes(set) === true && same(set),
    ),
  );
  if (same("devices") && same("observed")) kept.add("devices");
  const isSame =
    projection === null || (kept.has("devices") && same("refused") && SETS.every((set) => kept.has(set) || same(set)));
  return { row, isKnown: anew || before !== null, projection, isSame, kept, edges: newEdges(change, references) };
}

function newEdges({ row, before, anew }: Change, references: readonly ReferenceRule[]): Telling["edges"] {
  const edges = edgesOf(row, references);
  if (anew === true) return edges;
  if (before === null) return edges.length > 0 ? edges : null;
  return sameFacts(edges, edgesOf(before, references)) ? null : edges;
}

/**
 * Whatever their order is: a row that was read has its keys in the order of `jsonb`, one that was observed in its own. Objects inside of a fact may
 * look different for that reason; they are compared once more where they are written.
 */
function sameFacts(some: readonly unknown[], others: readonly unknown[]): boolean {
  if (some.length !== others.length) return false;
  const [left, right] = [some, others].map((facts) => facts.map((fact) => JSON.stringify(fact))) as [
    string[],
    string[],
  ];
  const isSame = (): boolean => left.every((text, index) => text === right[index]);
  if (isSame()) return true;
  left.sort();
  right.sort();
  return isSame();
}

/** What is to be done to the tables of projections. */
export interface Plan {
  /** Devices first, edges last. */
  readonly replacements: readonly Replacement[];
  /** Resources of which rows are replaced. */
  readonly replaced: readonly ResourceRow[];
  /** Children that the projectors refused. */
  readonly refused: readonly Refused[];
}

/**
 * @param lettered whether a resource has dead letters of its parts: then all that it tells is written anew, since what is refused once more
 *   must stay told
 */
export function planOf(tellings: readonly Telling[], lettered: (row: ResourceRow) => boolean): Plan {
  const projected = tellings.flatMap(({ row, isKnown, isSame, kept, projection }): Projected[] =>
    projection === null || isSame ? [] : [{ row, isKnown, projection, kept: lettered(row) ? new Set() : kept }],
  );
  const edged = tellings.filter(({ edges }) => edges !== null);
  const replacements = [...replacementsOf(projected), edgeReplacement(edged)];
  return {
    replacements: replacements.filter(({ rows, owners }) => rows.length > 0 || owners.length > 0),
    replaced: [...new Set([...projected, ...edged].map(({ row }) => row))],
    refused: projected.flatMap(({ row, projection }) => projection.refused.map((refusal) => ({ row, refusal }))),
  };
}

interface Projected extends Pick<Telling, "row" | "isKnown" | "kept"> {
  readonly projection: Projection;
}

function replacementsOf(projected: readonly Projected[]): Replacement[] {
  const boxed = projected.filter(({ kept }) => !kept.has("devices"));
  const devices: Replacement = {
    table: DEVICE,
    owners: ownersOf(boxed),
    rows: boxed.flatMap(({ row, projection }) =>
      projection.devices.map((device) => ({
        ...device,
        resourceId: row.id,
        setsObserved: Object.fromEntries(projection.observed.map((set) => [set, "current"])),
        toldAt: row.actualUpdated,
      })),
    ),
  };
  const sets = SETS.map((set): Replacement => {
    const observed = projected.filter(({ projection, kept }) => projection.observed.includes(set) && !kept.has(set));
    return {
      table: SET_TABLES[set],
      owners: ownersOf(observed),
      rows: observed.flatMap(({ row, projection }) =>
        projection[set].map((child) => ({ ...child, resourceId: row.id })),
      ),
    };
  });
  return [devices, ...sets];
}

function edgeReplacement(edged: readonly Telling[]): Replacement {
  return {
    table: EDGE,
    owners: ownersOf(edged),
    rows: edged.flatMap(({ row, edges }) => (edges ?? []).map((edge) => ({ ...edge, resourceId: row.id }))),
  };
}

/** A new row has nothing that could go. */
function ownersOf(some: readonly Pick<Telling, "row" | "isKnown">[]): string[] {
  return some.flatMap(({ row, isKnown }) => (isKnown ? [row.id] : []));
}
