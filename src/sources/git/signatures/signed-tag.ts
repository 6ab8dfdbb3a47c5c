import type { BareRepository } from "../repository/bare-repository.ts";
import { ourRef } from "../repository/fetcher.ts";
import type { ResolvedRef } from "../repository/refs.ts";
import { gitError } from "../repository/transport-errors.ts";

const TAGS = "refs/tags/";

/** Whether the reference is a tag, so that there may be a signed object behind it. */
export function isTagged({ remoteRef }: Pick<ResolvedRef, "remoteRef">): boolean {
  return remoteRef.startsWith(TAGS);
}

/**
 * The tag object behind a tag that was fetched.
 * @throws FabricSyncError `VerificationFailed` when it is no annotated tag, points elsewhere than the revision, or was signed under another
 *   name: whoever may push could otherwise present an old release, signed long ago, as the new one.
 */
export async function readTag(
  bare: BareRepository,
  resolved: ResolvedRef,
): Promise<{ readonly id: string; readonly name: string; readonly text: string }> {
  const name = resolved.remoteRef.slice(TAGS.length);
  const object = await (await bare.contents()).read(ourRef(resolved));
  if (object === null) throw gitError("RepositoryCorrupt", "the fetched tag is not there");
  if (object.type !== "tag")
    throw gitError("VerificationFailed", `tag ${name} is not annotated, so it cannot be signed`);
  const text = object.content.toString("utf8");
  const [header = ""] = text.split("\n\n", 1);
  const signedName = /^tag (.*)$/m.exec(header)?.[1] ?? "";
  if (signedName !== name) {
    throw gitError("VerificationFailed", `tag ${name} was signed under the name ${signedName.slice(0, 100)}`);
  }
  const behind = await (await bare.headers()).read(`${object.id}^{commit}`);
  if (behind?.id !== resolved.commit) {
    throw gitError("VerificationFailed", `tag ${name} moved while it was looked at`);
  }
  return { id: object.id, name, text };
}
