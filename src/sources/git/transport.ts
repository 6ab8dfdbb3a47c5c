import { checkCredentials } from "./credentials.ts";
import type { GitCredentials } from "./credentials.ts";
import { diagnose } from "./diagnose.ts";
import { lendEnvironment } from "./environment.ts";
import type { GitHost } from "./environment.ts";
import { runGit } from "./process.ts";
import type { GitResult } from "./process.ts";
import { parseRemoteRefs } from "./refs.ts";

/** One exchange with a Git server. */
export interface Exchange {
  readonly url: string;
  readonly credentials: GitCredentials;
  readonly timeoutMs: number;
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
  const result = await talk(host, directory, exchange, {}, ["ls-remote", "--quiet", "--", exchange.url, ...patterns]);
  return parseRemoteRefs(result.stdout.toString("utf8"));
}

/**
 * `git fetch` of what `refspecs` name into the bare repository `directory`. `shallow` limits the history of a first fetch.
 * @throws FabricSyncError see `transport-errors.ts`.
 */
export async function fetchRefs(
  host: GitHost,
  directory: string,
  exchange: Exchange,
  refspecs: readonly string[],
  shallow: boolean,
): Promise<void> {
  const depth = shallow ? [`--depth=${HISTORY_DEPTH}`] : [];
  await talk(host, directory, exchange, { GIT_DIR: directory }, [
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
    exchange.url,
    ...refspecs,
  ]);
}

async function talk(
  host: GitHost,
  directory: string,
  exchange: Exchange,
  variables: Readonly<Record<string, string>>,
  args: readonly string[],
): Promise<GitResult> {
  checkCredentials(exchange.url, exchange.credentials);
  const lent = await lendEnvironment(host, exchange.url, exchange.credentials);
  let result: GitResult;
  try {
    const { timeoutMs, signal } = exchange;
    result = await runGit({ args, cwd: directory, env: { ...lent.env, ...variables }, timeoutMs, signal });
  } finally {
    await lent.dispose();
  }
  if (result.exitCode === 0) return result;
  throw await diagnose(host, exchange.url, exchange.credentials, result);
}
