import type { Check, CheckOutcome } from "../../../src/core/check.ts";
import { isAwaitingServer, questionOf } from "../../../src/core/drift.ts";
import type { Observation } from "../../../src/core/observation.ts";
import type { ReducePolicy } from "../../../src/core/policy.ts";
import { reclassify, reduce } from "../../../src/core/reduce.ts";
import type { Reduction } from "../../../src/core/reduce.ts";
import { isDeclared, isThere } from "../../../src/core/resource-row.ts";
import type { ResourceRow } from "../../../src/core/row.ts";
import { settle } from "../../../src/core/settle.ts";
import { actual, actualDelete, at, desired, desiredDelete } from "../../core/observations.ts";
import type { WIDGET } from "../../core/observations.ts";

/** What the Fabric says and what could be read, as far as it matters to one object. */
export interface World {
  readonly mode: ReducePolicy["driftMode"];
  readonly hasGit: boolean;
  readonly gitRead: boolean;
  readonly kindListed: boolean;
  readonly watched: boolean;
}

/** One object in one world. */
export interface Place {
  readonly row: ResourceRow | null;
  readonly world: World;
}

const LEAVING = { deletionTimestamp: "2026-01-01T00:00:00Z" };

/** One thing that happens. */
export interface Step {
  readonly what: string;
  readonly world: World;
  readonly reduction?: Reduction;
}

/** What can happen to the object itself. */
export function steps({ row, world }: Place, kind: typeof WIDGET, values: readonly number[]): Step[] {
  const policy = policyOf(world, kind);
  const observe = (what: string, seen: Observation): Step => ({
    ...{ what, world },
    reduction: reduce(row, seen, policy, at(1)),
  });
  return [
    ...(row === null ? [] : [{ what: "judged anew", world, reduction: reclassify(row, policy, at(1)) }]),
    ...gitSteps(row, world, kind, values).map(([what, seen]) => observe(what, seen)),
    ...clusterSteps(row, world, kind, values).map(([what, seen]) => observe(what, seen)),
    ...(row === null
      ? []
      : answers(row, policy).map((check): Step => ({
          ...{ what: `the server: ${check.outcome}`, world },
          reduction: settle(row, check, policy, at(1)),
        }))),
  ];
}

/** Everything that the Fabric's spec and what can be read may become, one at a time. */
export function worldSteps(world: World): [string, World][] {
  const modes = (["local", "server_side", "disabled"] as const).filter((mode) => mode !== world.mode);
  return [
    ...modes.map((mode): [string, World] => [`drift ${mode}`, { ...world, mode }]),
    // A repository that is named later is read from its beginning.
    ["spec.git", world.hasGit ? { ...world, hasGit: false, gitRead: false } : { ...world, hasGit: true }],
    ...(world.hasGit && !world.gitRead ? [["a revision is in", { ...world, gitRead: true }] as [string, World]] : []),
    ...(world.kindListed ? [] : [["the kind is listed", { ...world, kindListed: true }] as [string, World]]),
    ["may be watched", { ...world, watched: !world.watched }],
  ];
}

function gitSteps(
  row: ResourceRow | null,
  { hasGit }: World,
  kind: typeof WIDGET,
  values: readonly number[],
): [string, Observation][] {
  const declared = row !== null && isDeclared(row);
  // Without a repository the side is retired.
  if (!hasGit) return declared ? [["Git is retired", desiredDelete(kind)]] : [];
  return [
    ...values.map((size): [string, Observation] => [`Git: ${size}`, desired({ size }, { type: kind })]),
    ...(declared
      ? [
          ["Git drops it", desiredDelete(kind)] as [string, Observation],
          ["Git moves it", desired(row.desiredSpec, { type: kind, line: row.desiredLine + 1 })] as [
            string,
            Observation,
          ],
        ]
      : []),
  ];
}

function clusterSteps(
  row: ResourceRow | null,
  { watched }: World,
  kind: typeof WIDGET,
  values: readonly number[],
): [string, Observation][] {
  const there = row !== null && isThere(row);
  // A kind that is selected no longer is retired, whether it can be watched or not.
  const retired: [string, Observation][] = there
    ? [["the kind is retired", { ...actualDelete({ type: kind, rv: "" }), uid: "" }]]
    : [];
  if (!watched) return retired;
  const rv = String(Number(row?.actualResourceVersion || "1") + 1);
  const old = row?.actualUid ?? "";
  const fresh = old === "uid-a" ? "uid-b" : "uid-a";
  const leaving = row !== null && row.deletionRequestedAt !== null;
  const shown = values.flatMap((size) =>
    [false, true].flatMap((leaves) =>
      (there ? [old, fresh] : [fresh]).flatMap((uid): [string, Observation][] =>
        // Nobody takes a deletion back.
        uid === old && leaving && !leaves
          ? []
          : [
              [
                `cluster: ${size}${leaves ? ", leaving" : ""}${uid === old ? "" : ", made anew"}`,
                actual({ size }, { type: kind, rv, uid, ...(leaves ? { metadata: LEAVING } : {}) }),
              ],
            ],
      ),
    ),
  );
  return [
    ...shown,
    ...retired,
    ...(there ? [["cluster drops it", actualDelete({ type: kind, rv, uid: old })] as [string, Observation]] : []),
  ];
}

const OUTCOMES: readonly CheckOutcome[] = ["accepted", "differs", "refused", "unanswered"];

function answers(row: ResourceRow, policy: ReducePolicy): Check[] {
  const asked = isAwaitingServer(row) || row.driftDetails["again"] !== undefined;
  if (!asked || policy.driftMode !== "server_side") return [];
  const possible = isDeclared(row) && isThere(row) ? OUTCOMES : OUTCOMES.filter((outcome) => outcome !== "differs");
  return possible.map((outcome) => ({
    ...{ key: questionOf(row, policy), outcome, code: outcome === "accepted" ? "" : "Code", message: "said so" },
    paths: outcome === "differs" ? [{ path: ["spec", "size"], actualPath: ["spec", "size"] }] : [],
    at: at(1).now,
    again: outcome === "refused" || outcome === "unanswered" ? at(2).now : "",
  }));
}

/** As the controller would make it. */
export function policyOf({ mode, hasGit, gitRead, kindListed, watched }: World, kind: typeof WIDGET): ReducePolicy {
  const name = `${kind.kind}.${kind.apiVersion.split("/")[0] ?? ""}`;
  return {
    ...{ driftMode: mode, reportExtra: true, direction: "observe", ignore: [], hasGit },
    unread: {
      ...{ git: hasGit && !gitRead, cluster: false, kinds: hasGit && !kindListed ? [name] : [] },
      ...(watched ? {} : { unwatched: { [name]: "its kind may not be listed and watched" } }),
    },
  };
}
