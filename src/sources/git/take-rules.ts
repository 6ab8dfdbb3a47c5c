import type { GitLimits } from "./limits.ts";
import type { Plan } from "./plan.ts";
import { gitError } from "./repository/transport-errors.ts";
import type { TreeEntry } from "./tree.ts";

/** What of a Fabric's `spec.git` decides how a tree becomes rows. */
export interface TakeRules {
  readonly path: string;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly limits: GitLimits;
  readonly allowEmptying: boolean;
  readonly defaultNamespace: string;
}

/** Objects that may be retired at once without the Fabric's word, though they are more than half: a small Fabric is tidied up in one push. */
const FREE_RETIREMENTS = 10;
export function checkTotals(
  entries: readonly TreeEntry[],
  sizes: ReadonlyMap<string, number>,
  limits: GitLimits,
): void {
  if (entries.length > limits.maxFiles) {
    throw gitError("LimitExceeded", `${entries.length} files, more than limits.maxFiles (${limits.maxFiles})`);
  }
  let total = 0;
  for (const { blob } of entries) {
    const size = sizes.get(blob) ?? 0;
    // A file that is too large by itself is refused by itself.
    if (size <= limits.maxFileBytes) total += size;
  }
  if (total > limits.maxTotalBytes) {
    throw gitError("LimitExceeded", `${total} bytes, more than limits.maxTotalBytes (${limits.maxTotalBytes})`);
  }
}

export function checkDocuments(plan: Plan<unknown>, limits: GitLimits): void {
  let documents = 0;
  for (const file of plan.files.values()) documents += file.documents;
  if (documents > limits.maxDocuments) {
    throw gitError("LimitExceeded", `${documents} documents, more than limits.maxDocuments (${limits.maxDocuments})`);
  }
}

/** Half of the rows gone at once looks more like a mistake in the path or a bad merge than like a wish (invariant 10). */
export function checkEmptying(plan: Plan<unknown>, pathExists: boolean, rules: TakeRules): void {
  const gone = plan.retire.length;
  if (rules.allowEmptying) return;
  if (!pathExists && gone === 0) throw gitError("PathNotFound", `the revision has no folder ${rules.path}`);
  if (gone * 2 <= plan.declaredBefore) return;
  if (gone < FREE_RETIREMENTS && gone < plan.declaredBefore) return;
  const what = pathExists ? "this revision" : `the path ${rules.path} is not in this revision, which`;
  throw gitError(
    "EmptyingRefused",
    `${what} would retire ${gone} of ${plan.declaredBefore} objects; nothing was changed. Set spec.git.allowEmptying if that is meant`,
  );
}
