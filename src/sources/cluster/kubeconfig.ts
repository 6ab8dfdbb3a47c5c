import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { KubeConfig } from "@kubernetes/client-node/dist/config.js";
import { parse } from "yaml";
import { FabricSyncError, messageOf } from "../../core/errors.ts";

/** Where a cluster's address and credentials come from. */
export type KubeConfigSource =
  /** A kubeconfig file of the operator's own; no context = its current one. */
  | { readonly from: "file"; readonly path: string; readonly context?: string }
  /** The pod's ServiceAccount; `root` is where the pod's own file system is to be found, its place when absent. */
  | { readonly from: "in-cluster"; readonly root?: string }
  /** The text of a kubeconfig that a user put into a Secret: nothing in it may run a program or read the operator's files. */
  | { readonly from: "secret"; readonly text: string };

type Fields = Record<string, unknown>;

/**
 * Reads a kubeconfig.
 * @throws FabricSyncError `KubeConfigInvalid` (stall). The message never holds a credential.
 */
export function loadKubeConfig(source: KubeConfigSource): KubeConfig {
  const config = new KubeConfig();
  if (source.from === "in-cluster") config.loadFromCluster(source.root);
  else if (source.from === "file") loadFile(config, source.path, source.context);
  else loadUntrusted(config, source.text);
  const cluster = config.getCurrentCluster();
  if (!cluster) throw invalid(`it has no cluster for its current context '${config.getCurrentContext() ?? ""}'`);
  if (!URL.canParse(cluster.server)) throw invalid("its cluster has no valid server URL");
  return config;
}

/** A copy whose token files, exec credentials and caches are read anew. */
export function reloaded(config: KubeConfig): KubeConfig {
  const fresh = new KubeConfig();
  const { clusters, users, contexts, currentContext } = config;
  fresh.loadFromOptions({ clusters, users, contexts, currentContext });
  return fresh;
}

function loadFile(config: KubeConfig, path: string, context: string | undefined): void {
  let text;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw invalid(messageOf(error));
  }
  const directory = dirname(path);
  const fields = parsed(text);
  for (const user of entries(fields, "users", "user")) watchTokenFile(user, directory);
  load(config, fields);
  config.makePathsAbsolute(directory);
  if (context !== undefined && context !== "") config.setCurrentContext(context);
}

/** client-node would read the file once, or (under kubectl's name for it) not at all; as its own provider it is read again and again. */
function watchTokenFile(user: Fields, directory: string): void {
  const file = user["tokenFile"] ?? user["token-file"];
  delete user["token-file"];
  if (typeof file !== "string" || file === "" || user["token"] !== undefined) return;
  user["auth-provider"] = { name: "tokenFile", config: { tokenFile: resolve(directory, file) } };
}

/** All that a kubeconfig of a user may hold; anything else may name a program or a file of ours. */
const PLAIN_USER = new Set(["token", "username", "password", "client-certificate-data", "client-key-data", "as"]);
const PLAIN_CLUSTER = new Set([
  "server",
  "certificate-authority-data",
  "insecure-skip-tls-verify",
  "tls-server-name",
  "proxy-url",
  "disable-compression",
]);

/** Checked before it is loaded: loading alone reads the files that it names. What was checked is what is loaded, not the text. */
function loadUntrusted(config: KubeConfig, text: string): void {
  const fields = parsed(text);
  const users = entries(fields, "users", "user").flatMap((user) => notIn(PLAIN_USER, user));
  const clusters = entries(fields, "clusters", "cluster").flatMap((cluster) => notIn(PLAIN_CLUSTER, cluster));
  const found = [...new Set([...users, ...clusters])];
  if (found.length > 0) {
    throw invalid(
      `in a Secret it must hold its credentials as data (token, client-certificate-data, certificate-authority-data); not allowed: ${found.join(", ")}`,
    );
  }
  load(config, fields);
}

function notIn(allowed: ReadonlySet<string>, fields: Fields): string[] {
  return Object.keys(fields).filter((name) => !allowed.has(name) && name !== "extensions");
}

/** The parser's own message is not passed on: it quotes what it cannot read. */
function parsed(text: string): Fields {
  try {
    const value: unknown = parse(text);
    if (isFields(value)) return value;
  } catch {
    // told below, without the text
  }
  throw invalid("it is not a kubeconfig in YAML");
}

function load(config: KubeConfig, fields: Fields): void {
  try {
    config.loadFromString(JSON.stringify(fields));
  } catch {
    throw invalid("a cluster, user or context in it is not complete");
  }
}

/** `users[].user` or `clusters[].cluster`. */
function entries(fields: Fields, list: string, name: string): Fields[] {
  const items = fields[list];
  return Array.isArray(items)
    ? items.map((item: unknown) => (isFields(item) ? item[name] : null)).filter(isFields)
    : [];
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(why: string): FabricSyncError {
  return new FabricSyncError("KubeConfigInvalid", "stall", `the kubeconfig cannot be used: ${why}`);
}
