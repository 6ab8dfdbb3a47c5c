/** The operator: every part put together, started in order, and taken apart in the opposite one. */
import { abortable } from "../core/pause.ts";
import type { Logger } from "../core/telemetry.ts";
import type { Config } from "../config.ts";
import { FabricController } from "../controller/fabric-controller.ts";
import type { LeaderElection } from "../controller/leader.ts";
import { WebhookDirectory } from "../controller/webhook-directory.ts";
import { SchemaProbe } from "../http/health.ts";
import type { ReadinessFacts } from "../http/health.ts";
import { Loops } from "../http/loops.ts";
import { Metrics } from "../http/metrics.ts";
import { probeRoutes } from "../http/probes.ts";
import { startHttpServer } from "../http/server.ts";
import { readMigrations } from "../store/migrate-files.ts";
import { appliedMigration } from "../store/schema-state.ts";
import { autocommit } from "../store/transaction.ts";
import { assemble } from "./assembly.ts";
import { keepMaintained, reachDatabase } from "./upkeep.ts";
import { followDeliveries, webhookRoute } from "./webhooks.ts";

export interface OperatorOptions {
  readonly config: Config;
  readonly version: string;
  readonly log: Logger;
  /** Asks for an orderly end. */
  readonly signal: AbortSignal;
}

/**
 * From the signal to the cut (ms): we promise to end within 10 s, and the kubelet grants 30. What is not written by then is
 * read again: the cursors say from where.
 */
const END_MS = 9_000;
/** Requests that are under way when we end get so long (ms). */
const HTTP_GRACE_MS = 500;

/**
 * Runs until `signal` aborts, and resolves once everything has come to rest: true when all that was read is written.
 * @throws FabricSyncError when it cannot go on: another schema, an address that is taken, a kubeconfig that cannot be read.
 */
export async function runOperator({ config, version, log, signal }: OperatorOptions): Promise<boolean> {
  using ending = cutAfter(END_MS, signal);
  const ended = new AbortController();
  const loops = new Loops();
  const reports = () => controller.reports();
  const metrics = new Metrics({ version, fabrics: reports, loops: () => loops.report() });
  const parts = assemble({ config, version, log, telemetry: metrics, heartbeats: loops, cut: ending.cut });
  const controller = new FabricController(parts.controller);
  const { client, namespaces } = parts.controller;
  const directory = new WebhookDirectory({ client, namespaces, log, heartbeats: loops });
  try {
    // Not the store's own: a probe asks once, and tells what it was told.
    const { migrations } = await readMigrations();
    const schema = new SchemaProbe(async () => ({
      applied: await appliedMigration(autocommit(parts.pool)),
      needed: migrations.length,
    }));
    const readiness = async (): Promise<ReadinessFacts> => ({
      ...(await schema.answer()),
      role: roleOf(parts.election),
      listed: controller.listed,
      fabrics: reports(),
    });
    // First of all: probes are answered, and tell what is waited for, from the beginning.
    const probes = probeRoutes({ loops: () => loops.report(), readiness, metrics });
    const routes = [...probes, webhookRoute(directory, controller, parts.store, metrics)];
    const http = await startHttpServer({ listen: config.listen, routes, log });
    try {
      await reachDatabase(parts.pool, log, loops, signal);
      // The lease is the first thing that is asked of the cluster: it waits for it, and says so.
      const leading = parts.election.run(signal, async (lead) => {
        const following = followDeliveries({ controller, store: parts.store, heartbeats: loops, log }, lead);
        await Promise.all([controller.run(lead), keepMaintained(parts.pool, log, loops, lead), following]);
      });
      await abortable(Promise.all([leading, directory.run(AbortSignal.any([signal, ended.signal]))]), ending.cut);
    } finally {
      ended.abort();
      await http.close(HTTP_GRACE_MS);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await parts.close();
  }
  if (ending.cut.aborted) log.warn({}, "ended before everything was written; the cursors tell where to go on");
  return !ending.cut.aborted;
}

/** `cut` aborts `ms` after `signal` did. */
function cutAfter(ms: number, signal: AbortSignal): Disposable & { readonly cut: AbortSignal } {
  const cut = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const begin = (): void => {
    timer = setTimeout(() => cut.abort(), ms);
  };
  if (signal.aborted) begin();
  else signal.addEventListener("abort", begin, { once: true });
  return {
    cut: cut.signal,
    [Symbol.dispose]: () => {
      signal.removeEventListener("abort", begin);
      clearTimeout(timer);
    },
  };
}

function roleOf({ holder, identity }: LeaderElection): ReadinessFacts["role"] {
  return holder === "" ? null : holder === identity ? "leading" : "standby";
}
