import type { DesiredDelete } from "../core/observation.ts";
import type { Fence, ObservationStore } from "../core/ports.ts";
import type { RevisionSink } from "../core/streams.ts";

/**
 * The Fabric names no repository any more: what Git declared is declared by nobody now. In one transaction, like a revision
 * that declares nothing; then the cursors go, so that a repository named later is read from its beginning.
 */
export async function retireDesired(
  store: Pick<ObservationStore, "readGitFiles" | "readCursors" | "dropCursor">,
  revisions: RevisionSink,
  fence: Fence,
  now: number,
): Promise<void> {
  const { fabricId } = fence;
  const cursors = (await store.readCursors(fabricId)).filter(({ source }) => source === "git");
  const [cursor] = cursors;
  if (cursor === undefined) return;
  const files = await store.readGitFiles(fabricId);
  const observations = files.flatMap(({ keys }) =>
    keys.map(({ apiGroup, kind, namespace, name }): DesiredDelete => ({
      side: "desired",
      type: "delete",
      key: { fabricId, apiGroup, kind, namespace, name },
      writePath: "git_poll",
      observedAt: now,
      commit: cursor.position,
      author: "",
      reason: "spec.git was removed",
    })),
  );
  await revisions.commit({ observations, cursor, gitFiles: { upserts: [], removed: files.map(({ path }) => path) } });
  for (const { scope } of cursors) await store.dropCursor(fence, "git", scope);
}
