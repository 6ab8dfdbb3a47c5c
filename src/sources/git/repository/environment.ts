import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { GitCredentials } from "./credentials.ts";

/** What git's environment is built from; nothing of our own environment is inherited. */
export interface GitHost {
  /** Where git, ssh and sh are found. */
  readonly path: string;
  /** A directory of ours with mode 0700; holds the empty home and, for the time of a command, credentials. */
  readonly directory: string;
  /** `HTTPS_PROXY` and `NO_PROXY` for git, '' for none. */
  readonly httpsProxy: string;
  readonly noProxy: string;
}

/** An environment with credentials in it; `dispose` removes the files behind it. */
export interface LentEnvironment {
  readonly env: Readonly<Record<string, string>>;
  dispose(): Promise<void>;
}

/**
 * Settings of every git process. They are given by GIT_CONFIG_* variables: no file of the user, the system or the repository can override
 * them, and none of them shows in argv.
 */
const SETTINGS: readonly (readonly [string, string])[] = [
  // Only these two; file, ext, git and http are refused by git itself, in submodules and redirects too.
  ["protocol.allow", "never"],
  ["protocol.https.allow", "always"],
  ["protocol.ssh.allow", "always"],
  // Credentials must not follow a redirect to another host.
  ["http.followRedirects", "false"],
  ["core.hooksPath", "/dev/null"],
  ["credential.helper", ""],
  ["submodule.recurse", "false"],
  ["fetch.recurseSubmodules", "false"],
  // Maintenance is ours, off the hot path.
  ["gc.auto", "0"],
  ["maintenance.auto", "false"],
  ["fetch.writeCommitGraph", "false"],
  // The cache can be fetched again at any time: no fsync.
  ["core.fsync", "none"],
  // A pack is indexed with what two cores and 256 MB can bear.
  ["pack.threads", "1"],
  ["core.packedGitLimit", "64m"],
  ["core.packedGitWindowSize", "16m"],
  ["core.deltaBaseCacheLimit", "32m"],
  ["core.bigFileThreshold", "4m"],
];

/** The environment of commands that never talk to a server. */
export async function localEnvironment(host: GitHost): Promise<Record<string, string>> {
  const home = join(host.directory, "home");
  await mkdir(home, { recursive: true, mode: 0o700 });
  return withSettings(host, home, SETTINGS);
}

/**
 * The environment of a command that talks to the server of `url` with `credentials`.
 *
 * https: user name and password reach git through a credential helper that prints two variables of its environment; a bearer token is a
 * header in the environment's configuration, bound to the host. ssh: key and known_hosts are files of mode 0600 in a directory of mode 0700
 * for as long as the command runs, as is the authority's certificate. Nothing of it is in argv, in the URL, or in a repository's configuration.
 */
export async function lendEnvironment(
  host: GitHost,
  url: string,
  credentials: GitCredentials,
  more: readonly (readonly [string, string])[] = [],
): Promise<LentEnvironment> {
  const home = join(host.directory, "home");
  await mkdir(home, { recursive: true, mode: 0o700 });
  const settings = [...SETTINGS, ...more];
  const extra: Record<string, string> = {};
  let directory: string | null = null;
  const place = async (name: string, text: string): Promise<string> => {
    directory ??= await privateDirectory(host.directory);
    const file = join(directory, name);
    await writeFile(file, text.endsWith("\n") ? text : `${text}\n`, { mode: 0o600, flag: "wx" });
    return file;
  };
  const dispose = async (): Promise<void> => {
    if (directory !== null) await rm(directory, { recursive: true, force: true });
  };
  try {
    if (url.startsWith("https://")) {
      if (credentials.caCrt !== undefined) settings.push(["http.sslCAInfo", await place("ca.crt", credentials.caCrt)]);
      if (credentials.bearerToken !== undefined) {
        settings.push([`http.${new URL(url).origin}/.extraHeader`, `Authorization: Bearer ${credentials.bearerToken}`]);
      } else if (credentials.username !== undefined && credentials.password !== undefined) {
        settings.push(["credential.helper", HELPER]);
        extra["FABRIC_SYNC_GIT_USERNAME"] = credentials.username;
        extra["FABRIC_SYNC_GIT_PASSWORD"] = credentials.password;
      }
      if (host.httpsProxy !== "") extra["HTTPS_PROXY"] = host.httpsProxy;
      if (host.noProxy !== "") extra["NO_PROXY"] = host.noProxy;
    } else {
      const identity = await place("identity", credentials.identity ?? "");
      const knownHosts = await place("known_hosts", credentials.knownHosts ?? "");
      extra["GIT_SSH_COMMAND"] = sshCommand(identity, knownHosts);
      extra["GIT_SSH_VARIANT"] = "ssh";
    }
    return { env: { ...withSettings(host, home, settings), ...extra }, dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** Printed by sh from its environment: the values are in no argument list. git asks for `get`; `store` and `erase` are ignored. */
const HELPER =
  '!f() { test "$1" = get || exit 0; printf "username=%s\\npassword=%s\\n" "$FABRIC_SYNC_GIT_USERNAME" "$FABRIC_SYNC_GIT_PASSWORD"; }; f';

function sshCommand(identity: string, knownHosts: string): string {
  const options = [
    "BatchMode=yes",
    "IdentitiesOnly=yes",
    "IdentityAgent=none",
    "StrictHostKeyChecking=yes",
    "UpdateHostKeys=no",
    "GlobalKnownHostsFile=/dev/null",
    `UserKnownHostsFile=${sshWord(knownHosts)}`,
    "PreferredAuthentications=publickey",
    "ClearAllForwardings=yes",
    "ControlMaster=no",
    "ControlPath=none",
    "ServerAliveInterval=15",
    "ServerAliveCountMax=2",
  ];
  return ["ssh", "-F", "/dev/null", "-i", identity, ...options.flatMap((option) => ["-o", option])]
    .map(shellWord)
    .join(" ");
}

/** One word for sh. */
function shellWord(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** One word for ssh's own option parser, which splits file lists at spaces. */
function sshWord(path: string): string {
  return `"${path}"`;
}

async function privateDirectory(parent: string): Promise<string> {
  const directory = await mkdtemp(join(parent, "credentials-"));
  await chmod(directory, 0o700);
  return directory;
}

function withSettings(
  host: GitHost,
  home: string,
  settings: readonly (readonly [string, string])[],
): Record<string, string> {
  const env: Record<string, string> = {
    PATH: host.path,
    HOME: home,
    // Messages in one language: they are the last resort for naming a reason.
    LC_ALL: "C",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_SYSTEM: "/dev/null",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_TERMINAL_PROMPT: "0",
    GIT_LITERAL_PATHSPECS: "1",
    GIT_ATTR_NOSYSTEM: "1",
    GIT_OPTIONAL_LOCKS: "0",
    GIT_NO_LAZY_FETCH: "1",
    GIT_PROTOCOL_FROM_USER: "0",
    // A repository around our directory must not be found.
    GIT_CEILING_DIRECTORIES: dirname(host.directory),
    GIT_CONFIG_COUNT: String(settings.length),
  };
  settings.forEach(([key, value], index) => {
    env[`GIT_CONFIG_KEY_${index}`] = key;
    env[`GIT_CONFIG_VALUE_${index}`] = value;
  });
  return env;
}
