import { constants } from "node:fs";
import { access, chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { localEnvironment } from "../repository/environment.ts";
import type { GitHost } from "../repository/environment.ts";
import { runGit } from "../repository/process.ts";
import { gitError } from "../repository/transport-errors.ts";

/** The keys of one Secret in a directory of their own, and git's environment that knows no others. */
export interface Keyring extends AsyncDisposable {
  readonly env: Readonly<Record<string, string>>;
}

/** No agent, no key server, no trust database: whoever is in the Secret is trusted, nobody else is there. */
const GPG_CONF = [
  ...["batch", "no-tty", "no-greeting", "no-autostart", "no-permission-warning", "trust-model always"],
  ...["no-auto-key-retrieve", "no-auto-key-locate", "no-auto-check-trustdb", "disable-dirmngr"],
];
const IMPORT_TIMEOUT_MS = 30_000;

interface Keys {
  readonly openPgp: readonly string[];
  readonly allowedSigners: readonly string[];
  readonly revoked: string;
}

/**
 * Makes a keyring of a Secret's data:
 *
 * | key in the Secret | holds |
 * |-------------------|-------|
 * | `allowed_signers` | lines as ssh-keygen(1) has them under ALLOWED SIGNERS |
 * | `revoked_keys`    | ssh public keys that count no more, one a line |
 * | any other         | an armored OpenPGP public key, or ssh public keys, one a line |
 *
 * @throws FabricSyncError `InvalidCredentials` for anything else, and for no key at all; `VerificationUnavailable` without gpg.
 */
export async function lendKeyring(
  host: GitHost,
  data: Readonly<Record<string, string>>,
  secret: string,
  signal: AbortSignal,
): Promise<Keyring> {
  const keys = sortKeys(data, secret);
  const base = await localEnvironment(host);
  // Of the pool's temporary kind: what a killed process leaves is removed at the next start.
  const directory = await mkdtemp(join(host.directory, "credentials-"));
  const dispose = (): Promise<void> => rm(directory, { recursive: true, force: true });
  try {
    await chmod(directory, 0o700);
    const place = async (name: string, text: string): Promise<string> => {
      const file = join(directory, name);
      await writeFile(file, text, { mode: 0o600, flag: "wx" });
      return file;
    };
    const settings: [string, string][] = [
      ["gpg.program", "gpg"],
      ["gpg.ssh.program", "ssh-keygen"],
      ["gpg.x509.program", "false"],
      ["gpg.ssh.allowedSignersFile", await place("allowed_signers", lines(keys.allowedSigners))],
    ];
    if (keys.revoked !== "") {
      settings.push(["gpg.ssh.revocationFile", await place("revoked_keys", lines([keys.revoked]))]);
    }
    const home = join(directory, "gnupg");
    await mkdir(home, { mode: 0o700 });
    await writeFile(join(home, "gpg.conf"), lines(GPG_CONF), { mode: 0o600 });
    const env = { ...withSettings(base, settings), GNUPGHOME: home };
    if (keys.openPgp.length > 0) {
      await needProgram(host, "gpg", "openpgp");
      const file = await place("keys.asc", lines(keys.openPgp));
      const run = { cwd: directory, env, timeoutMs: IMPORT_TIMEOUT_MS, signal };
      const { exitCode } = await runGit({ program: "gpg", args: ["--quiet", "--import", file], ...run });
      if (exitCode !== 0) throw gitError("InvalidCredentials", `an OpenPGP key in Secret ${secret} cannot be read`);
    }
    return { env, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

function sortKeys(data: Readonly<Record<string, string>>, secret: string): Keys {
  const openPgp: string[] = [];
  const allowedSigners: string[] = [];
  for (const [name, value] of Object.entries(data)) {
    const text = value.trim();
    if (text === "" || name === "revoked_keys") continue;
    if (name === "allowed_signers") allowedSigners.push(text);
    else if (text.startsWith("-----BEGIN PGP PUBLIC KEY BLOCK-----")) openPgp.push(text);
    else if (text.split("\n").every((line) => SSH_KEY.test(line))) {
      allowedSigners.push(...text.split("\n").map((line) => `* namespaces="git" ${line.trim()}`));
    } else {
      throw gitError(
        "InvalidCredentials",
        `${name} in Secret ${secret} is neither an armored OpenPGP public key nor ssh public keys`,
      );
    }
  }
  if (openPgp.length + allowedSigners.length === 0) {
    throw gitError("InvalidCredentials", `Secret ${secret} holds no public key to verify signatures with`);
  }
  return { openPgp, allowedSigners, revoked: data["revoked_keys"]?.trim() ?? "" };
}

const SSH_KEY = /^\s*(ssh-[a-z0-9-]+|ecdsa-sha2-[a-z0-9-]+|sk-[a-z0-9@.-]+) [A-Za-z0-9+/=]+( .*)?$/;

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join("");
}

function withSettings(base: Readonly<Record<string, string>>, settings: readonly (readonly [string, string])[]) {
  const count = Number(base["GIT_CONFIG_COUNT"] ?? 0);
  const env: Record<string, string> = { ...base, GIT_CONFIG_COUNT: String(count + settings.length) };
  settings.forEach(([key, value], index) => {
    env[`GIT_CONFIG_KEY_${count + index}`] = key;
    env[`GIT_CONFIG_VALUE_${count + index}`] = value;
  });
  return env;
}

/** Whether `program` is there to be started by git. @throws FabricSyncError `VerificationUnavailable` */
export async function needProgram(host: GitHost, program: string, format: "openpgp" | "ssh"): Promise<void> {
  for (const folder of host.path.split(":")) {
    const found = await access(join(folder, program), constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return;
  }
  const kind = format === "ssh" ? "ssh" : "OpenPGP";
  throw gitError(
    "VerificationUnavailable",
    `${kind} signatures are checked by ${program}, which is not installed beside git`,
  );
}
