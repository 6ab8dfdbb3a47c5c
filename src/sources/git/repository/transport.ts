import type { FabricSyncError } from "../../../core/errors.ts";
import { checkCredentials } from "./credentials.ts";
import type { GitCredentials } from "./credentials.ts";
import { diagnose } from "./diagnose.ts";
import { lendEnvironment } from "./environment.ts";
import type { GitHost } from "./environment.ts";
import { runGit } from "./process.ts";
import type { GitResult, GitRun } from "./process.ts";
import { BLOB_FILTER, REMOTE } from "./omitted.ts";
import { BLOCK_BYTES, removePartialPack } from "./partial-pack.ts";
import { parseRemoteRefs } from "./refs.ts";
import { gitError } from "./transport-errors.ts";

/** One exchange with a Git server. */
export interface Exchange {
  readonly url: string;
  readonly credentials: GitCredentials;
  readonly timeoutMs: number;
  /** A fetch that would bring more is ended. */
  readonly maxBytes: number;
  /** `maxBytes` is what room the cache has, and less than the Fabrics allow. */
  readonly roomOnly: boolean;
  readonly signal: AbortSignal;
}

/**
 * Commits of history that are fetched at first: enough to say who changed a file last in nearly every configuration repository, and a bound
 * for those with a history of gigabytes. Later fetches bring what is new.
 */
export const HISTORY_DEPTH = 1_000;

/**
 * `git ls-remote`: the references that match `patterns`, tags peeled.
 * @throws FabricSyncError see `transport-errors.ts`.
 */
export async function listRemote(
  host: GitHost,
  directory: string,
  exchange: Exchange,
  patterns: readonly string[],
): Promise<Map<string, string>> {
  const args = ["ls-remote", "--quiet", "--", exchange.url, ...patterns];
  const result = await talk(host, exchange, { args, cwd: directory });
  return parseRemoteRefs(result.stdout.toString("utf8"));
}

/**
 * `git fetch` of what `refspecs` name into the bare repository `directory`, without blobs that nobody may read. `shallow` limits the
 * history of a first fetch. The kernel ends git's writing at `exchange.maxBytes`: everything that comes goes into one pack.
 * @throws FabricSyncError see `transport-errors.ts`; `LimitExceeded` when it would be more bytes than that.
 */
export async function fetchRefs(
  host: GitHost,
  directory: string,
  exchange: Exchange,
  refspecs: readonly string[],
  shallow: boolean,
): Promise<void> {
  const depth = shallow ? [`--depth=${HISTORY_DEPTH}`] : [];
  const blocks = Math.max(1, Math.floor(exchange.maxBytes / BLOCK_BYTES));
  const args = [
    "fetch",
    "--quiet",
    "--no-tags",
    "--no-write-fetch-head",
    "--no-recurse-submodules",
    "--no-auto-maintenance",
    "--force",
    // A server whose history was cut off anew is followed, too.
    "--update-shallow",
    ...depth,
    "--",
    REMOTE,
    ...refspecs,
  ];
  const settings: [string, string][] = [
    [`remote.${REMOTE}.url`, exchange.url],
    [`remote.${REMOTE}.promisor`, "true"],
    [`remote.${REMOTE}.partialclonefilter`, BLOB_FILTER],
  ];
  const bounded = { program: "sh", args: ["-c", WITHIN_BLOCKS, String(blocks), ...args] } as const;
  try {
    await talk(host, exchange, { ...bounded, cwd: directory }, { settings, variables: { GIT_DIR: directory } });
  } catch (error) {
    if ((await removePartialPack(directory)) < blocks * BLOCK_BYTES) throw error;
    if (exchange.roomOnly) throw cacheFull(error);
    throw gitError("LimitExceeded", `the fetch was ended at ${exchange.maxBytes} bytes (limits.maxTransferBytes)`, {
      cause: error,
    });
  }
}

/** What is in use by Fabrics is not evicted for others. */
export function cacheFull(cause?: unknown): FabricSyncError {
  return gitError(
    "CacheFull",
    "the cache of Git repositories has no room for what is new; raise FABRIC_SYNC_CACHE_BYTES, or name fewer repositories",
    { cause },
  );
}

/**
 * Whoever writes beyond the bound is ended by SIGXFSZ, without a core beside the repository. Where the container itself has a lower bound
 * that is not ours to raise, it holds.
 */
const WITHIN_BLOCKS =
  'ulimit -c 0; { ulimit -f "$0" 2>/dev/null || test "$(ulimit -f)" != unlimited; } && exec git "$@"';

async function talk(
  host: GitHost,
  exchange: Exchange,
  command: Pick<GitRun, "program" | "args" | "cwd">,
  { settings = [], variables = {} }: { settings?: [string, string][]; variables?: Record<string, string> } = {},
): Promise<GitResult> {
  checkCredentials(exchange.url, exchange.credentials);
  const lent = await lendEnvironment(host, exchange.url, exchange.credentials, settings);
  let result: GitResult;
  try {
    const { timeoutMs, signal } = exchange;
    result = await runGit({ ...command, env: { ...lent.env, ...variables }, timeoutMs, signal });
  } finally {
    await lent.dispose();
  }
  if (result.exitCode === 0) return result;
  throw await diagnose(host, exchange.url, exchange.credentials, result);
}
