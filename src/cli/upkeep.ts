/** What the operator does about the database itself: waits for it at the start, and keeps it in order after. */
import type { Pool } from "pg";
import { FabricSyncError, messageOf } from "../core/errors.ts";
import { pause } from "../core/pause.ts";
import { fullJitterDelay } from "../core/retry.ts";
import type { Backoff } from "../core/retry.ts";
import type { Heartbeats, Logger } from "../core/telemetry.ts";
import { assertSchemaCompatible } from "../store/upkeep/compatible.ts";
import { maintain } from "../store/upkeep/maintain.ts";

/** Maintenance looks at dates: partitions are made months ahead and dropped by the month (ms). */
const MAINTAIN_EVERY_MS = 3_600_000;
/** After a round that could not be done (ms). */
const MAINTAIN_AGAIN_MS = 300_000;
/** A round purges in chunks, each under the store's own statement time-out; the first after a long stop may have much to do (ms). */
const MAINTAIN_BEAT_MS = 4 * MAINTAIN_EVERY_MS;
/** Everything waits for the database, and to be asked every few seconds costs it nothing: it is used soon after it is back. */
const REACH_BACKOFF: Backoff = { baseMs: 250, capMs: 5_000 };
/** One attempt, its connection's time-out included, and the pause after it, with a margin (ms). */
const REACH_BEAT_MS = 60_000;

/** Waited for: the database is away, refuses us (a Secret may be rotated), or is about to be migrated by somebody else. */
const PASSING = new Set(["SchemaOutOfDate", "StoreAccessDenied"]);

/**
 * Resolves when the database answers and this program can write to it, or when `signal` aborts.
 * @throws FabricSyncError when that cannot come by waiting: a newer schema, a changed migration, a column we know nothing of.
 */
export async function reachDatabase(
  pool: Pool,
  log: Logger,
  heartbeats: Heartbeats,
  signal: AbortSignal,
): Promise<void> {
  const heartbeat = heartbeats.register("database", REACH_BEAT_MS);
  try {
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      heartbeat.beat();
      try {
        await assertSchemaCompatible(pool);
        if (attempt > 1) log.info({ attempt }, "the database is there");
        return;
      } catch (error) {
        if (!(error instanceof FabricSyncError)) throw error;
        const passing = error.policy === "retry" || error.policy === "wait" || PASSING.has(error.code);
        if (!passing) throw error;
        log.warn({ code: error.code, error: error.message, attempt }, "waiting for the database");
        await pause(fullJitterDelay(attempt, REACH_BACKOFF, Math.random), signal);
      }
    }
  } finally {
    heartbeat.end();
  }
}

/** Maintains the database now and every hour until `signal` aborts. A round that fails is logged and tried again. */
export async function keepMaintained(
  pool: Pool,
  log: Logger,
  heartbeats: Heartbeats,
  signal: AbortSignal,
): Promise<void> {
  const heartbeat = heartbeats.register("maintenance", MAINTAIN_BEAT_MS);
  while (!signal.aborted) {
    heartbeat.beat();
    const done = await maintainOnce(pool, log, signal);
    await pause(done ? MAINTAIN_EVERY_MS : MAINTAIN_AGAIN_MS, signal);
  }
  heartbeat.end();
}

async function maintainOnce(pool: Pool, log: Logger, signal: AbortSignal): Promise<boolean> {
  try {
    const { ok, checks, partitionsMade, partitionsDropped, purged } = await maintain(pool, { signal });
    const open = checks.filter(({ status }) => status === "failed" || status === "could_not_run");
    for (const { name, message } of open) log.warn({ check: name, reason: message }, "maintenance was not complete");
    log.info({ partitionsMade, partitionsDropped, purged }, "database maintained");
    return ok;
  } catch (error) {
    if (!signal.aborted) log.warn({ error: messageOf(error) }, "maintenance failed");
    return false;
  }
}
