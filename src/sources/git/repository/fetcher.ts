import { createHash } from "node:crypto";
import { FabricSyncError } from "../../../core/errors.ts";
import { OUR_REFS } from "./bare-repository.ts";
import type { BareRepository, ObjectFormat } from "./bare-repository.ts";
import type { GitHost } from "./environment.ts";
import { fullName, labelOf } from "./refs.ts";
import type { GitRef, ResolvedRef } from "./refs.ts";
import { fetchRefs } from "./transport.ts";
import type { Exchange } from "./transport.ts";
import { gitError } from "./transport-errors.ts";

export interface MeasuredExchange extends Exchange {
  onDone(operation: "ls-remote" | "fetch", result: "ok" | "error", durationMs: number): void;
}

export type Answer = ResolvedRef | FabricSyncError;

/** Failed fetches in a row, each after an ls-remote that worked, after which the cache itself is suspected. */
const SUSPECT_AFTER = 2;

/** Brings what a server's references point to into the bare repository. */
export class Fetcher {
  readonly #bare: BareRepository;
  readonly #host: GitHost;
  readonly #discard: (reason: string) => Promise<void>;
  /** Our reference → where the server's pointed when it was too much to fetch. */
  readonly #tooLarge = new Map<string, { readonly commit: string; readonly maxBytes: number }>();
  #failures = 0;
  #fetched = 0;

  constructor(bare: BareRepository, host: GitHost, discard: (reason: string) => Promise<void>) {
    this.#bare = bare;
    this.#host = host;
    this.#discard = discard;
  }

  /** Fetches since the last call of {@link restart}. */
  get count(): number {
    return this.#fetched;
  }
  restart(): void {
    this.#fetched = 0;
  }

  /**
   * Where somebody says that a reference moved: fetches without asking first what the server has. git's fetch lists the references
   * itself, so this saves a process, a connection and an exchange.
   * @returns the answer for each of `refs`, in their order; null when it must be asked after all: a version range, a reference that never was here, or one that is gone.
   */
  async fetchMoved(exchange: MeasuredExchange, refs: readonly GitRef[]): Promise<ResolvedRef[] | null> {
    const have = await this.#bare.open();
    const wanted: { ours: string; remoteRef: string; label: string; commit: string }[] = [];
    for (const ref of refs) {
      const remoteRef = fullName(ref) ?? "";
      if (remoteRef === "" && ref.commit === undefined) return null;
      const ours = ourRef({ remoteRef, commit: ref.commit ?? "" });
      const commit = have.get(ours);
      if (commit === undefined || this.#tooLarge.has(ours)) return null;
      wanted.push({ ours, remoteRef, label: labelOf(ref), commit });
    }
    const moving = wanted.filter(({ remoteRef }) => remoteRef !== "");
    const refspecs = new Set(moving.map(({ ours, remoteRef }) => `+${remoteRef}:${ours}`));
    if (refspecs.size === 0) return wanted;
    try {
      await measured(exchange, "fetch", () =>
        fetchRefs(this.#host, this.#bare.directory, exchange, [...refspecs].sort(), false),
      );
    } catch (error) {
      // What the server's own answer explains is the answer; else it is asked what it has.
      if (error instanceof FabricSyncError && (error.code === "TransportFailed" || isTooLarge(error))) return null;
      throw error;
    }
    this.#fetched += 1;
    const now = await this.#bare.look(new Set(moving.map(({ ours }) => ours)));
    return wanted.map(({ ours, remoteRef, label, commit }) => ({
      remoteRef,
      label,
      commit: now.get(ours) ?? commit,
    }));
  }

  /** Fetches, at once, what is not here yet; replaces each answer by what really came. */
  async fetchMissing<Asker>(exchange: MeasuredExchange, answers: Map<Asker, Answer>): Promise<void> {
    const have = await this.#bare.open(objectFormat(answers));
    const empty = have.size === 0;
    const wanted = new Map<string, ResolvedRef>();
    const pinned = new Map<string, ResolvedRef>();
    for (const answer of answers.values()) {
      if (answer instanceof FabricSyncError || have.get(ourRef(answer)) === answer.commit) continue;
      (answer.remoteRef === "" ? pinned : wanted).set(ourRef(answer), answer);
    }
    const failed = await this.#fetchWanted(exchange, wanted, empty);
    for (const [ours, { commit }] of pinned) {
      try {
        this.#mayFetch(exchange, ours, commit);
        await this.#fetchCommit(exchange, ours, commit, empty);
      } catch (error) {
        if (!(error instanceof FabricSyncError)) throw error;
        failed.set(ours, this.#remember(error, exchange, ours, commit));
      }
    }
    if (wanted.size + pinned.size === 0) return;
    const now = new Map([
      ...(await this.#bare.open()),
      ...(await this.#bare.look([...wanted.keys(), ...pinned.keys()])),
    ]);
    for (const [asker, answer] of answers) {
      if (answer instanceof FabricSyncError) continue;
      const error = failed.get(ourRef(answer));
      if (error) {
        answers.set(asker, error);
        continue;
      }
      // The reference may have moved on between ls-remote and fetch: what came is newer, and complete.
      const commit = now.get(ourRef(answer));
      const missing = gitError("RepositoryCorrupt", "the fetched commit is not there");
      answers.set(asker, commit === undefined ? missing : { ...answer, commit });
    }
  }

  /** In one fetch; where that is too much, one by one, so that a large branch costs those who read another one nothing. */
  async #fetchWanted(
    exchange: MeasuredExchange,
    wanted: ReadonlyMap<string, ResolvedRef>,
    shallow: boolean,
  ): Promise<Map<string, FabricSyncError>> {
    const failed = new Map<string, FabricSyncError>();
    const attempt = async (some: readonly (readonly [string, ResolvedRef])[]): Promise<void> => {
      const refspecs = some.map(([ours, { remoteRef }]) => `+${remoteRef}:${ours}`).sort();
      if (refspecs.length > 0) await this.#fetch(exchange, refspecs, shallow);
      for (const [ours] of some) this.#tooLarge.delete(ours);
    };
    const fetchable = [...wanted].filter(([ours, { commit }]) => {
      try {
        this.#mayFetch(exchange, ours, commit);
        return true;
      } catch (error) {
        if (!isTooLarge(error)) throw error;
        failed.set(ours, error);
        return false;
      }
    });
    try {
      await attempt(fetchable);
    } catch (error) {
      if (!isTooLarge(error)) throw error;
      for (const one of fetchable) {
        const [ours, { commit }] = one;
        try {
          if (fetchable.length === 1) throw error;
          await attempt([one]);
        } catch (alone) {
          if (!isTooLarge(alone)) throw alone;
          failed.set(ours, this.#remember(alone, exchange, ours, commit));
        }
      }
    }
    return failed;
  }

  /** What was too much once is not fetched again, only to be thrown away, before the reference moves or more is allowed. */
  #mayFetch({ maxBytes }: MeasuredExchange, ours: string, commit: string): void {
    const known = this.#tooLarge.get(ours);
    if (known?.commit !== commit || known.maxBytes < maxBytes) return;
    throw gitError(
      "LimitExceeded",
      `fetching ${commit} was ended at ${known.maxBytes} bytes (limits.maxTransferBytes), and is not begun again`,
    );
  }

  #remember(error: FabricSyncError, { maxBytes }: MeasuredExchange, ours: string, commit: string): FabricSyncError {
    if (isTooLarge(error) && !this.#tooLarge.has(ours)) this.#tooLarge.set(ours, { commit, maxBytes });
    return error;
  }

  /** By its id where the server allows that, else among its branches and tags. */
  async #fetchCommit(exchange: MeasuredExchange, ours: string, commit: string, shallow: boolean): Promise<void> {
    try {
      await this.#fetch(exchange, [`+${commit}:${ours}`], shallow);
      return;
    } catch (error) {
      if (!(error instanceof FabricSyncError) || error.code !== "TransportFailed") throw error;
    }
    await this.#fetch(exchange, [`+refs/heads/*:${OUR_REFS}all/heads/*`, `+refs/tags/*:${OUR_REFS}all/tags/*`], false);
    if (!(await this.#bare.point(ours, commit))) {
      throw gitError("RefNotFound", `the repository has no commit ${commit}`);
    }
  }

  async #fetch(exchange: MeasuredExchange, refspecs: readonly string[], shallow: boolean): Promise<void> {
    try {
      await measured(exchange, "fetch", () => fetchRefs(this.#host, this.#bare.directory, exchange, refspecs, shallow));
      this.#failures = 0;
      this.#fetched += 1;
    } catch (error) {
      // The objects that are here had no part in it.
      if (isTooLarge(error) || (error instanceof FabricSyncError && error.code === "CacheFull")) throw error;
      this.#failures += 1;
      if (this.#failures >= SUSPECT_AFTER && !exchange.signal.aborted) {
        this.#failures = 0;
        await this.#discard("fetching failed repeatedly while the server answered");
      }
      throw error;
    }
  }
}

function isTooLarge(error: unknown): error is FabricSyncError {
  return error instanceof FabricSyncError && error.code === "LimitExceeded";
}

/** Runs one exchange and tells how long it took. */
export async function measured<T>(
  exchange: MeasuredExchange,
  operation: "ls-remote" | "fetch",
  work: () => Promise<T>,
): Promise<T> {
  const begun = performance.now();
  let result: "ok" | "error" = "error";
  try {
    const value = await work();
    result = "ok";
    return value;
  } finally {
    exchange.onDone(operation, result, performance.now() - begun);
  }
}

/** The reference of ours under which a fetched one is kept. */
export function ourRef({ remoteRef, commit }: Pick<ResolvedRef, "remoteRef" | "commit">): string {
  const name = remoteRef === "" ? commit : remoteRef;
  return `${OUR_REFS}${createHash("sha256").update(name).digest("hex").slice(0, 40)}`;
}

function objectFormat(answers: ReadonlyMap<unknown, Answer>): ObjectFormat | undefined {
  for (const answer of answers.values()) {
    if (!(answer instanceof FabricSyncError)) return answer.commit.length === 64 ? "sha256" : "sha1";
  }
  return undefined;
}
