import type { GitFile } from "../../core/ports.ts";
import { keyId, planInFull } from "./plan.ts";
import type { Plan, PlanInput } from "./plan.ts";

/** As {@link planInFull}, by a look at what changed: nearly every push changes nearly nothing. */
export function* planRevision<T>(input: PlanInput<T>): Generator<void, Plan<T>> {
  const { part, untouched } = touchedPart(input);
  yield;
  const plan = yield* planInFull(part);
  yield;
  if (untouched.length === 0) return plan;
  const files = new Map(untouched.map((file) => [file.path, file]));
  for (const file of plan.files.values()) files.set(file.path, file);
  const declaredBefore = untouched.reduce((sum, { keys }) => sum + keys.length, plan.declaredBefore);
  return { ...plan, files, declaredBefore };
}

/**
 * The files of a revision that can have anything to do with what changed: those that were read, are gone, or have a part refused or kept, and
 * those that hold a key of one of them. Every other file is known as before, and is the only one to declare its keys: in nearly every push
 * nearly all of them.
 */
function touchedPart<T>(input: PlanInput<T>): {
  readonly part: PlanInput<T>;
  readonly untouched: readonly GitFile[];
} {
  const { tree, stored, read } = input;
  const blobs = new Map(tree.map(({ path, blob }) => [path, blob]));
  const ids = new Set<string>();
  const quiet: GitFile[] = [];
  const touched = new Set<string>();
  for (const file of stored.values()) {
    if (!read.has(file.path) && blobs.get(file.path) === file.blob && file.parsed && file.rejections.length === 0) {
      quiet.push(file);
      continue;
    }
    touched.add(file.path);
    for (const key of file.keys) ids.add(keyId(key));
  }
  if (quiet.length > 0) for (const { declared } of read.values()) for (const { key } of declared) ids.add(keyId(key));
  const untouched = quiet.filter((file) => {
    if (!file.keys.some((key) => ids.has(keyId(key)))) return true;
    touched.add(file.path);
    return false;
  });
  const part: PlanInput<T> = {
    ...input,
    tree: tree.filter(({ path }) => touched.has(path) || !stored.has(path)),
    stored: new Map([...stored].filter(([path]) => touched.has(path))),
  };
  return { part, untouched };
}
