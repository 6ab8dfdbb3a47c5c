/**
 * The only file that reads the environment. `settings.ts` lists what can be set: a variable, and a flag of the
 * same name that wins over it. Every wrong value is told at once; no message ever shows a credential.
 */
import { readFileSync } from "node:fs";
import { homedir, hostname, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { z } from "zod";
import { FabricSyncError } from "./core/errors.ts";
import { databaseUrl, databaseUrlOfParts } from "./database-url.ts";
import { quote, readable, Wrong } from "./config-value.ts";
import { LOG_LEVELS, SETTINGS } from "./settings.ts";
import type { Flags, LogLevel, Variable } from "./settings.ts";

/** What the parts are built from. */
export interface Config {
  /** A postgres:// URL; '' where the command needs no database and none was given. May hold a password: never shown. */
  readonly databaseUrl: string;
  /** Path of a kubeconfig; '' = the service account of the pod. */
  readonly kubeconfig: string;
  /** Namespaces whose Fabrics are served; empty = all. */
  readonly namespaces: readonly string[];
  readonly listen: Listen;
  readonly logLevel: LogLevel;
  /** Where the bare repositories live; may be deleted at any time. */
  readonly cacheDir: string;
  /** Bytes that the bare repositories may take together. */
  readonly cacheBytes: number;
  readonly gitHost: GitHostConfig;
  /** Where the leases live. */
  readonly podNamespace: string;
  /** Tells this process from every other one that may hold a lease. */
  readonly identity: string;
}

/** `host` '' means every address of the machine, `port` 0 a free port of the operating system's choice. */
export interface Listen {
  readonly host: string;
  readonly port: number;
}

/** What git gets of our environment; it is given nothing else. */
export interface GitHostConfig {
  /** Where git and ssh are found. */
  readonly path: string;
  /** '' = none. */
  readonly httpsProxy: string;
  readonly noProxy: string;
}

/** What a command cannot do without. */
export interface Needs {
  readonly database: boolean;
  readonly cluster: boolean;
}

export type Environment = Readonly<Record<string, string | undefined>>;

export interface ConfigProblem {
  readonly name: string;
  /** What is wrong and what would be right. */
  readonly problem: string;
}

/** Code `WrongConfiguration`: names every wrong value, with what would be right. */
export class ConfigurationError extends FabricSyncError {
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    const width = Math.max(...problems.map((one) => one.name.length));
    const lines = problems.map((one) => `  ${one.name.padEnd(width)}  ${one.problem}`);
    super("WrongConfiguration", "stall", `the configuration is wrong:\n${lines.join("\n")}`);
    this.problems = problems;
  }
}

/**
 * The configuration of one command. An empty value counts as not set.
 * @throws ConfigurationError when a value is wrong, or one that the command needs is not there.
 */
export function loadConfig(needs: Needs, flags: Flags = {}, environment: Environment = process.env): Config {
  const given = (name: string): string | undefined => environment[name]?.trim() || undefined;
  const values = Object.fromEntries(
    SETTINGS.map(({ variable }) => [variable, flags[variable]?.trim() || given(variable)]),
  );
  const parsed = schema.safeParse(values);
  const problems: ConfigProblem[] = (parsed.error?.issues ?? []).map((issue) => {
    const variable = String(issue.path[0]);
    return { name: nameOf(variable as Variable, flags), problem: issue.message };
  });
  const needed = (missing: boolean, variable: Variable, problem: string): void => {
    if (missing && values[variable] === undefined) problems.push({ name: variable, problem });
  };
  const parts = values.DATABASE_URL === undefined ? databaseUrlOfParts(given) : { url: undefined, problems: [] };
  problems.push(...parts.problems);
  needed(
    needs.database && parts.url === undefined && parts.problems.length === 0,
    "DATABASE_URL",
    "is not set; give postgres://user:password@host:port/database, or PGHOST and the other PG variables",
  );
  needed(
    needs.cluster && given("KUBERNETES_SERVICE_HOST") === undefined,
    "KUBECONFIG",
    "is not set, and this is not a pod; give the path of a kubeconfig",
  );
  if (!parsed.success || problems.length > 0) throw new ConfigurationError(problems);
  const { data } = parsed;
  return {
    databaseUrl: data.DATABASE_URL ?? parts.url ?? "",
    kubeconfig: data.KUBECONFIG ?? "",
    namespaces: data.FABRIC_SYNC_NAMESPACES ?? [],
    listen: data.FABRIC_SYNC_LISTEN ?? { host: "", port: 8080 },
    logLevel: data.LOG_LEVEL ?? "info",
    cacheDir: data.FABRIC_SYNC_CACHE_DIR ?? join(cacheHome(given), "fabric-sync"),
    cacheBytes: data.FABRIC_SYNC_CACHE_BYTES ?? MAX_CACHE_BYTES,
    gitHost: {
      path: given("PATH") ?? "/usr/local/bin:/usr/bin:/bin",
      httpsProxy: given("HTTPS_PROXY") ?? given("https_proxy") ?? "",
      noProxy: given("NO_PROXY") ?? given("no_proxy") ?? "",
    },
    podNamespace: data.POD_NAMESPACE ?? serviceAccountNamespace() ?? "default",
    identity: data.POD_NAME ?? `${hostname()}-${process.pid}`,
  };
}

/** 1 GiB: half of the volume in the shipped manifests. */
const MAX_CACHE_BYTES = 1_073_741_824;
/** 16 MiB: less would not even hold small repositories. */
const LEAST_CACHE_BYTES = 16_777_216;
const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

const schema = z.object({
  DATABASE_URL: setting((text) => databaseUrl(text)),
  KUBECONFIG: setting((text) => {
    if (text.includes(delimiter)) throw new Wrong("names several files, which are not merged; give one");
    readable(text);
    return text;
  }),
  FABRIC_SYNC_NAMESPACES: setting((text) => {
    const names = text.split(",").map((name) => name.trim());
    const wrong = names.find((name) => !DNS_LABEL.test(name));
    if (wrong !== undefined) throw new Wrong(`${quote(wrong)} is not a namespace; give names such as fabrics,lab`);
    return [...new Set(names)];
  }),
  FABRIC_SYNC_LISTEN: setting((text) => listen(text)),
  FABRIC_SYNC_CACHE_DIR: setting((text) => {
    if (text.includes("\0")) throw new Wrong("is not a path");
    return text;
  }),
  FABRIC_SYNC_CACHE_BYTES: setting((text) => {
    const bytes = /^\d{1,15}$/.test(text) ? Number(text) : 0;
    if (bytes < LEAST_CACHE_BYTES) throw new Wrong(`${quote(text)} is not a number of bytes from ${LEAST_CACHE_BYTES}`);
    return bytes;
  }),
  LOG_LEVEL: setting((text) => {
    const level = LOG_LEVELS.find((one) => one === text.toLowerCase());
    if (!level) throw new Wrong(`${quote(text)} is not a level; give one of ${LOG_LEVELS.join(", ")}`);
    return level;
  }),
  POD_NAMESPACE: setting((text) => {
    if (!DNS_LABEL.test(text)) throw new Wrong(`${quote(text)} is not a namespace`);
    return text;
  }),
  POD_NAME: setting((text) => {
    if (!/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(text)) throw new Wrong(`${quote(text)} is not a pod name`);
    return text;
  }),
});

function setting<T>(parse: (text: string) => T) {
  return z
    .string()
    .transform((text, context): T => {
      try {
        return parse(text);
      } catch (error) {
        if (!(error instanceof Wrong)) throw error;
        context.addIssue({ code: "custom", message: error.message });
        return z.NEVER;
      }
    })
    .optional();
}

function listen(text: string): Listen {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65_535) throw new Wrong(`${quote(text)} is not an address; give :8080 or 127.0.0.1:8080`);
  return { host: match[1] ?? match[2] ?? "", port };
}

function nameOf(variable: Variable, flags: Flags): string {
  const flag = SETTINGS.find((one) => one.variable === variable)?.flag;
  return flags[variable] === undefined || flag === undefined ? variable : `--${flag}`;
}

function cacheHome(given: (name: string) => string | undefined): string {
  const home = given("HOME") ?? homedir();
  // A pod's user often has no home, or '/', which is read-only.
  return given("XDG_CACHE_HOME") ?? (home === "/" || home === "" ? tmpdir() : join(home, ".cache"));
}

function serviceAccountNamespace(): string | undefined {
  try {
    return readFileSync("/var/run/secrets/kubernetes.io/serviceaccount/namespace", "utf8").trim() || undefined;
  } catch {
    return undefined; // Not in a pod.
  }
}
