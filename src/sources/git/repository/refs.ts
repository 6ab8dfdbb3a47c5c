import semver from "semver";

/** Which revision a Fabric wants: exactly one of these. */
export interface GitRef {
  readonly branch?: string | undefined;
  readonly tag?: string | undefined;
  /** A range of versions over tags, as npm writes it. */
  readonly semver?: string | undefined;
  /** A full reference. */
  readonly name?: string | undefined;
  readonly commit?: string | undefined;
}

/** What a reference stands for on the server now. */
export interface ResolvedRef {
  /** The server's full reference; '' when the Fabric names a commit. */
  readonly remoteRef: string;
  readonly commit: string;
  /** What the revision is called before the '@': a branch, a tag, a full reference, '' for a commit. */
  readonly label: string;
}

/** References of a server, by full name, tags peeled to their commit. */
export type RemoteRefs = ReadonlyMap<string, string>;

/** The patterns that `ls-remote` needs to answer for `ref`; none for a commit, which never moves. */
export function remotePatterns(ref: GitRef): string[] {
  if (ref.semver !== undefined) return ["refs/tags/*"];
  const name = fullName(ref);
  return name === null ? [] : [name, `${name}^{}`];
}

/** The wanted commit, or null when the server has no such reference. */
export function resolveRef(ref: GitRef, refs: RemoteRefs): ResolvedRef | null {
  if (ref.commit !== undefined) return { remoteRef: "", commit: ref.commit, label: "" };
  if (ref.semver !== undefined) return highestVersion(ref.semver, refs);
  const name = fullName(ref);
  const commit = name === null ? undefined : refs.get(name);
  if (name === null || commit === undefined) return null;
  return { remoteRef: name, commit, label: labelOf(ref) };
}

/** `main@sha1:<hash>`, `sha1:<hash>` for a commit; sha256 where the repository uses it. */
export function revisionText(resolved: Pick<ResolvedRef, "label" | "commit">): string {
  const id = `${resolved.commit.length === 64 ? "sha256" : "sha1"}:${resolved.commit}`;
  return resolved.label === "" ? id : `${resolved.label}@${id}`;
}

/** What stands before the '@' of a revision; '' for a commit, and for a version range before it is resolved. */
export function labelOf(ref: GitRef): string {
  return ref.branch ?? ref.tag ?? ref.name ?? "";
}

/** What a person would call the reference, for messages. */
export function describeRef(ref: GitRef): string {
  for (const word of ["branch", "tag", "semver", "name", "commit"] as const) {
    if (ref[word] !== undefined) return `${word} ${ref[word]}`;
  }
  return "no reference";
}

/** Reads the output of `git ls-remote`: a peeled entry (`^{}`) replaces its tag object. */
export function parseRemoteRefs(output: string): Map<string, string> {
  const refs = new Map<string, string>();
  const peeled = new Map<string, string>();
  for (const line of output.split("\n")) {
    const match = /^([0-9a-f]{40}|[0-9a-f]{64})\t(\S+)$/.exec(line);
    if (!match) continue;
    const [, id = "", name = ""] = match;
    if (name.endsWith("^{}")) peeled.set(name.slice(0, -3), id);
    else refs.set(name, id);
  }
  for (const [name, id] of peeled) refs.set(name, id);
  return refs;
}

/** The server's name for a branch, a tag or a full reference; null for a version range and a commit. */
export function fullName(ref: GitRef): string | null {
  if (ref.branch !== undefined) return `refs/heads/${ref.branch}`;
  if (ref.tag !== undefined) return `refs/tags/${ref.tag}`;
  return ref.name ?? null;
}

/** Two tags of one version (v1.0.0 and 1.0.0): the first name in byte order, so that every replica takes the same. */
function highestVersion(range: string, refs: RemoteRefs): ResolvedRef | null {
  let best: { version: semver.SemVer; label: string; commit: string } | null = null;
  for (const [name, commit] of refs) {
    if (!name.startsWith("refs/tags/")) continue;
    const label = name.slice("refs/tags/".length);
    const version = semver.parse(label);
    if (version === null || !semver.satisfies(version, range)) continue;
    const order = best === null ? 1 : semver.compareBuild(version, best.version);
    if (best === null || order > 0 || (order === 0 && label < best.label)) best = { version, label, commit };
  }
  return best && { remoteRef: `refs/tags/${best.label}`, commit: best.commit, label: best.label };
}
