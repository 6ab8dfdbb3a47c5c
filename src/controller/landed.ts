import type { LandingCounts } from "../core/landed.ts";
import type { Statement } from "./conditions.ts";
import type { FabricFacts } from "./facts.ts";
import { count } from "./words.ts";

type Verdict = Pick<Statement, "type" | "status" | "reason" | "message">;

/**
 * Whether the present revision has landed: every object that Git declares is in the cluster as declared, what Git dropped is gone, and the devices
 * have applied both. Counted by the view `applied`, object by object as `fabric-sync landed` tells them.
 *
 * | Landed  | when                                                                            |
 * | ------- | ------------------------------------------------------------------------------- |
 * | True    | all of it was seen to be there                                                  |
 * | False   | something of it was seen not to be there, or was refused and not taken in       |
 * | Unknown | nothing was seen to be wrong, and not all was seen; or nothing is known yet      |
 */
export function landedOf(
  facts: Pick<FabricFacts, "suspended" | "git" | "judged" | "landings"> & Partial<Pick<FabricFacts, "counts">>,
): Verdict {
  const of = (status: Verdict["status"], reason: string, message: string): Verdict => ({
    ...{ type: "Landed", status, reason, message },
  });
  const { git, landings } = facts;
  if (facts.suspended) return of("Unknown", "Suspended", "nothing is looked at while the Fabric is suspended");
  if (git === null || git.revision === "") return of("Unknown", "NotTakenIn", "no revision is in Postgres yet");
  if (!facts.judged) return of("Unknown", "Comparing", "rows are being compared");
  if (landings === null)
    return of("Unknown", "NotCounted", "it was not counted yet how much of the revision has landed");
  const told = `${git.revision}: ${figures(landings)}${unsure(facts.counts ?? null)}`;
  const refused = git.invalidDocuments + landings.refused;
  if (refused > 0) return of("False", "Refused", `${told}; ${count(refused, "document")} refused and not taken in`);
  const { inCluster, onDevice } = landings;
  if (inCluster.no > 0) return of("False", "NotInCluster", told);
  if (onDevice.no > 0) return of("False", "NotOnDevices", told);
  if (inCluster.unknown > 0 || onDevice.unknown > 0) return of("Unknown", "NotObserved", told);
  return of("True", landings.objects === 0 ? "NothingDeclared" : "Landed", told);
}

/** What is unknown is either still to be compared or could not be determined. */
function unsure(counts: FabricFacts["counts"]): string {
  const { unknown = 0, not_compared: later = 0 } = counts?.byDrift ?? {};
  const parts = [
    ...(later === 0 ? [] : [`${count(later, "object")} not compared yet`]),
    ...(unknown === 0 ? [] : [`${count(unknown, "object")} could not be determined`]),
  ];
  return parts.length === 0 ? "" : `; ${parts.join(", ")}`;
}

function figures({ objects, inCluster, onDevice }: LandingCounts): string {
  const rest = (parts: { readonly no: number; readonly unknown: number }): string =>
    [...(parts.no === 0 ? [] : [`${parts.no} not`]), ...(parts.unknown === 0 ? [] : [`${parts.unknown} unknown`])].join(
      ", ",
    );
  const part = (yes: number, of: number, where: string, open: string): string =>
    `${yes} of ${of} ${where}${open === "" ? "" : ` (${open})`}`;
  const devices = onDevice.yes + onDevice.no + onDevice.unknown;
  const cluster = part(
    inCluster.yes,
    objects,
    objects === 1 ? "object is in the cluster" : "objects are in the cluster",
    rest(inCluster),
  );
  return devices === 0 ? cluster : `${cluster}, ${part(onDevice.yes, devices, "on the devices", rest(onDevice))}`;
}
