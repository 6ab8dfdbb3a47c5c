import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { freePort } from "./ports.ts";
import { waitFor } from "./wait.ts";
import type { ServerProcess, Workspace } from "./workspace.ts";

/** The bundle of this checkout; `npm ci` and `npm run build` make it. */
export const BUNDLE = fileURLToPath(new URL("../../dist/fabric-sync.mjs", import.meta.url));

export interface OperatorOptions {
  /** Path of dist/fabric-sync.mjs or of a copy outside of the checkout. */
  readonly bundle?: string;
  /** The holder's name in the leases, and the name of the log file. Default: operator. */
  readonly name?: string;
  readonly databaseUrl: string;
  /** Path of the kubeconfig of the operator's own service account. */
  readonly kubeconfig: string;
  /** Fabrics of these namespaces; all when absent. */
  readonly namespaces?: readonly string[];
  /** Namespace of the leases. Default: fabric-sync. */
  readonly leaseNamespace?: string;
  readonly cacheDirectory: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** `fabric-sync run` as a process of its own, with its own service account. */
export interface Operator {
  readonly url: string;
  readonly process: ServerProcess;
  /** Waits until /readyz answers 200. */
  ready(timeoutMs?: number): Promise<void>;
  /** The value of the series with exactly these labels, 0 when there is none; the sum where several match. */
  metric(name: string, labels?: Readonly<Record<string, string>>): Promise<number>;
  get(path: string): Promise<Response>;
}

/** Brings a database to the bundle's schema, as the Deployment's init container does. */
export async function migrate(databaseUrl: string, bundle: string = BUNDLE): Promise<void> {
  await promisify(execFile)(process.execPath, [bundle, "db", "migrate"], {
    env: { PATH: process.env["PATH"], DATABASE_URL: databaseUrl },
  });
}

/** Starts the operator as the image does; its environment holds nothing but what is given here. */
export async function startOperator(workspace: Workspace, options: OperatorOptions): Promise<Operator> {
  const port = await freePort();
  const process_ = await workspace.spawn(
    options.name ?? "operator",
    process.execPath,
    ["--max-semi-space-size=4", options.bundle ?? BUNDLE, "run"],
    {
      endSignal: "SIGTERM",
      env: {
        PATH: process.env["PATH"],
        MALLOC_ARENA_MAX: "1",
        HOME: workspace.directory,
        DATABASE_URL: options.databaseUrl,
        KUBECONFIG: options.kubeconfig,
        FABRIC_SYNC_NAMESPACES: (options.namespaces ?? []).join(","),
        FABRIC_SYNC_LISTEN: `127.0.0.1:${port}`,
        FABRIC_SYNC_CACHE_DIR: options.cacheDirectory,
        POD_NAMESPACE: options.leaseNamespace ?? "fabric-sync",
        POD_NAME: options.name ?? "operator",
        ...options.env,
      },
    },
  );
  const url = `http://127.0.0.1:${port}`;
  const get = (path: string) => fetch(`${url}${path}`);
  return {
    url,
    process: process_,
    get,
    async ready(timeoutMs = 30_000) {
      await waitFor(
        `the operator to be ready\n${await process_.logTail(5)}`,
        async () => {
          if (!process_.running()) return true;
          const answer = await get("/readyz");
          // An answer that is not read holds its connection, beyond the end of the process at the other end.
          await answer.arrayBuffer();
          return answer.status === 200;
        },
        { timeoutMs },
      ).catch(async (error: unknown) => {
        throw new Error(`the operator does not get ready:\n${await process_.logTail()}`, { cause: error });
      });
      if (!process_.running()) throw new Error(`the operator ended:\n${await process_.logTail()}`);
    },
    async metric(name, labels = {}) {
      const text = await (await get("/metrics")).text();
      return sumOfSeries(text, name, labels);
    },
  };
}

/** Sum of the samples of `name` whose labels include `labels`, in the Prometheus text format. */
export function sumOfSeries(exposition: string, name: string, labels: Readonly<Record<string, string>>): number {
  let sum = 0;
  for (const line of exposition.split("\n")) {
    const sample = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line);
    if (sample === null || sample[1] !== name) continue;
    const wanted = Object.entries(labels).every(([key, value]) => (sample[2] ?? "").includes(`${key}="${value}"`));
    if (wanted) sum += Number(sample[3]);
  }
  return sum;
}
