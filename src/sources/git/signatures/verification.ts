import { createHash } from "node:crypto";
import type { GitHost } from "../repository/environment.ts";
import { runGit } from "../repository/process.ts";
import { describeSignature } from "./signature-words.ts";
import { isTagged, readTag } from "./signed-tag.ts";
import type { ResolvedRef } from "../repository/refs.ts";
import type { GitRepository } from "../repository/repository.ts";
import { gitError } from "../repository/transport-errors.ts";
import { lendKeyring, needProgram } from "./keyring.ts";
import type { Keyring } from "./keyring.ts";

/** What must be signed: the commit, the annotated tag that points to it, or both. Flux's words. */
export type VerificationMode = "HEAD" | "Tag" | "TagAndHEAD";

export interface VerifierOptions {
  readonly mode: VerificationMode;
  /** Names the Secret, for messages. */
  readonly secret: string;
  /** The Secret's decoded data as it is now; see `keyring.ts` for the names. */
  keys(signal: AbortSignal): Promise<Readonly<Record<string, string>>>;
}

/** ms that git and gpg or ssh-keygen may take together for one signature; they take some 50. */
const TIMEOUT_MS = 30_000;

/**
 * Says whether a revision was signed by somebody whom the Fabric trusts, before anything of it is read. git finds the signature, gpg or
 * ssh-keygen judges it, against the keys of one Secret and nothing else: a keyring is made for each check and removed after it.
 *
 * What was found good is not checked again while neither the revision nor the keys change; the keys are read each time, so a key that is
 * withdrawn shows at the next poll.
 */
export class Verifier {
  readonly #options: VerifierOptions;
  #good = "";

  constructor(options: VerifierOptions) {
    this.#options = options;
  }

  /**
   * @throws FabricSyncError `VerificationFailed` (stall) with what is wrong and whose signature it is, `InvalidCredentials`,
   *   `VerificationUnavailable`, or what reading the Secret throws.
   */
  async check(repository: GitRepository, resolved: ResolvedRef, signal: AbortSignal): Promise<void> {
    const keys = await this.#options.keys(signal);
    const { mode, secret } = this.#options;
    const tag = mode === "HEAD" ? null : await this.#tag(repository, resolved);
    const asked = createHash("sha256")
      .update(JSON.stringify([resolved.commit, tag?.id, Object.entries(keys).sort()]))
      .digest("hex");
    if (asked === this.#good) return;
    const { host } = repository;
    await using keyring = await lendKeyring(host, keys, secret, signal);
    const directory = repository.bare.directory;
    const check = { host, keyring, directory, secret, signal };
    if (tag !== null) {
      await verify(check, "verify-tag", tag.id, `tag ${tag.name}`, tag.format);
    }
    if (mode !== "Tag") {
      const commit = await (await repository.bare.contents()).read(resolved.commit);
      const format = formatOf(commit?.content.toString("latin1") ?? "");
      await verify(check, "verify-commit", resolved.commit, `commit ${resolved.commit}`, format);
    }
    this.#good = asked;
  }

  async #tag(repository: GitRepository, resolved: ResolvedRef): Promise<Tag> {
    if (!isTagged(resolved)) {
      throw gitError("VerificationFailed", `verify.mode ${this.#options.mode} needs a tag, and the reference is none`);
    }
    const tag = await readTag(repository.bare, resolved);
    return { ...tag, format: formatOf(tag.text) };
  }
}

interface Tag {
  readonly id: string;
  readonly name: string;
  readonly format: SignatureFormat;
}

type SignatureFormat = "none" | "openpgp" | "ssh" | "x509";

interface Check {
  readonly host: GitHost;
  readonly keyring: Keyring;
  readonly directory: string;
  readonly secret: string;
  readonly signal: AbortSignal;
}

/** For the message, and for what must be installed; git looks for itself. */
function formatOf(object: string): SignatureFormat {
  if (object.includes("-----BEGIN SSH SIGNATURE-----")) return "ssh";
  if (/-----BEGIN PGP (SIGNATURE|MESSAGE)-----/.test(object)) return "openpgp";
  return object.includes("-----BEGIN SIGNED MESSAGE-----") ? "x509" : "none";
}

/** Git's exit code alone decides; its words only tell a person why. */
async function verify(
  { host, keyring, directory, secret, signal }: Check,
  command: "verify-commit" | "verify-tag",
  id: string,
  what: string,
  format: SignatureFormat,
): Promise<void> {
  if (format === "none") throw gitError("VerificationFailed", `${what} is not signed`);
  if (format === "x509") throw gitError("VerificationFailed", `${what} has an X.509 signature, which is not taken`);
  await needProgram(host, format === "ssh" ? "ssh-keygen" : "gpg", format);
  const { exitCode, stderr } = await runGit({
    args: [command, "--raw", id],
    cwd: directory,
    env: { ...keyring.env, GIT_DIR: directory },
    timeoutMs: TIMEOUT_MS,
    signal,
  });
  if (exitCode === 0) return;
  throw gitError("VerificationFailed", `${what} ${describeSignature(stderr, `Secret ${secret}`)}`);
}
