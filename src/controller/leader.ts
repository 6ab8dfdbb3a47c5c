/**
 * One replica works, the others stand by: a Lease, with the semantics of client-go's `leaderelection`.
 *
 * Times are measured on our own clock, from the moment we saw the record change: no two clocks have to agree. A leader that
 * cannot renew stops within `renewDeadlineMs`, which ends before `leaseMs`, from which on another may begin. What it has still
 * in flight then is refused by the fence (invariant 12): the lease makes two writers rare, the fence makes them harmless.
 */
import { FabricSyncError, messageOf } from "../core/errors.ts";
import { pause } from "../core/pause.ts";
import type { Heartbeat, Logger } from "../core/telemetry.ts";
import { microTime } from "./lease.ts";
import type { LeaseObject, LeaseRecord } from "./lease.ts";

export interface LeaderTimes {
  /** A follower waits this long after the last renewal that it saw. */
  readonly leaseMs: number;
  /** A leader that could not renew for this long stops. Less than `leaseMs`: the difference is its time to stop. */
  readonly renewDeadlineMs: number;
  /** Between two attempts to take or to renew. */
  readonly retryMs: number;
}
/** client-go's defaults, which every Kubernetes controller runs with. */
export const LEADER_TIMES: LeaderTimes = { leaseMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2_000 };
/** A lease that was given back is free at once; client-go writes one second for the same. */
const RELEASED_SECONDS = 1;
/** Giving it back may take so long (ms): two small requests, in what is left of the time in which SIGTERM has to be done. */
const RELEASE_MS = 2_000;

export interface LeaderOptions {
  readonly lease: LeaseObject;
  /** Who we are: unique for each process, the pod's name for people. */
  readonly identity: string;
  readonly log: Logger;
  readonly heartbeat: Heartbeat;
  readonly times?: LeaderTimes;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  readonly random?: () => number;
}

export class LeaderElection {
  readonly identity: string;
  readonly #lease: LeaseObject;
  readonly #log: Logger;
  readonly #heartbeat: Heartbeat;
  readonly #times: LeaderTimes;
  readonly #now: () => number;
  readonly #random: () => number;
  #seen: { readonly record: LeaseRecord; readonly at: number } | null = null;

  constructor(options: LeaderOptions) {
    this.identity = options.identity;
    this.#lease = options.lease;
    this.#log = options.log;
    this.#heartbeat = options.heartbeat;
    this.#times = options.times ?? LEADER_TIMES;
    this.#now = options.now ?? Date.now;
    this.#random = options.random ?? Math.random;
    if (this.#times.renewDeadlineMs >= this.#times.leaseMs)
      throw new RangeError("renewDeadlineMs must be less than leaseMs");
  }

  /** Who leads as far as we know: '' when nobody does, or nothing is known yet. */
  get holder(): string {
    return this.#seen?.record.holder ?? "";
  }

  /**
   * Takes part until `signal` aborts. While we lead, `lead` runs; its signal aborts when the lease is lost or `signal` aborts,
   * and then it must come to an end. The lease is renewed until it has, and given back after.
   * @throws what `lead` throws.
   */
  async run(signal: AbortSignal, lead: (leading: AbortSignal) => Promise<void>): Promise<void> {
    while (!signal.aborted) {
      if (!(await this.#acquire(signal))) return;
      this.#log.info({ lease: this.#lease.description, identity: this.identity }, "leading");
      await this.#leadOnce(signal, lead);
    }
  }

  /**
   * For one pass: leads at once or not at all.
   * @throws FabricSyncError `LeaseHeld` in words when another process leads, or led so lately that it may still.
   */
  async runOnce<Result>(signal: AbortSignal, lead: (leading: AbortSignal) => Promise<Result>): Promise<Result> {
    const record = await this.#lease.read(signal);
    const until = record === null || record.holder === "" ? 0 : expiryOf(record);
    // Another's clock is believed here, for want of the time to watch it: being wrong costs a refusal, never two writers.
    if (record !== null && until > this.#now()) throw heldBy(record, this.#lease.description, until);
    if (!(await this.#take(record, signal))) {
      const winner = await this.#lease.read(signal);
      throw heldBy(winner ?? record, this.#lease.description, this.#now() + this.#times.leaseMs);
    }
    return this.#leadOnce(signal, lead);
  }

  async #leadOnce<Result>(signal: AbortSignal, lead: (leading: AbortSignal) => Promise<Result>): Promise<Result> {
    const lost = new AbortController();
    const finished = new AbortController();
    const renewing = this.#renewUntil(finished.signal, lost);
    try {
      return await lead(AbortSignal.any([signal, lost.signal]));
    } finally {
      finished.abort();
      await renewing;
      if (!lost.signal.aborted) await this.#release();
    }
  }

  /** True once we hold the lease; false when `signal` aborted before. */
  async #acquire(signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted) {
      this.#heartbeat.beat();
      try {
        const record = await this.#lease.read(signal);
        this.#see(record);
        if (this.#isFree(record) && (await this.#take(record, signal))) return true;
      } catch (error) {
        if (signal.aborted) return false;
        this.#log.warn({ lease: this.#lease.description, error: messageOf(error) }, "cannot reach the lease");
      }
      // Spread by a fifth, so that standbys that started together do not ask together.
      await pause(this.#times.retryMs * (1 + this.#random() / 5), signal);
    }
    return false;
  }

  /** Renews until `finished`; aborts `lost` when that failed for too long or another took the lease. */
  async #renewUntil(finished: AbortSignal, lost: AbortController): Promise<void> {
    let renewedAt = this.#now();
    while (!finished.aborted) {
      await pause(this.#times.retryMs, finished);
      if (finished.aborted || lost.signal.aborted) return;
      const deadline = renewedAt + this.#times.renewDeadlineMs;
      try {
        // A request that hangs must not outlive the deadline.
        const timeout = AbortSignal.timeout(Math.max(1, deadline - this.#now()));
        const began = this.#now();
        if (await this.#renew(AbortSignal.any([timeout, finished]))) {
          renewedAt = began;
          this.#heartbeat.beat();
          continue;
        }
        this.#log.error({ lease: this.#lease.description, holder: this.holder }, "another process took the lease");
        lost.abort(leaseLost(this.#lease.description));
      } catch (error) {
        if (finished.aborted) return;
        this.#log.warn({ lease: this.#lease.description, error: messageOf(error) }, "cannot renew the lease");
        if (this.#now() >= deadline) lost.abort(leaseLost(this.#lease.description));
      }
    }
  }

  /** False when the lease is another's by now. */
  async #renew(signal: AbortSignal): Promise<boolean> {
    for (;;) {
      const held = this.#seen?.record;
      if (held === undefined || held.holder !== this.identity) return false;
      const renewed = await this.#lease.write({ ...held, renewTime: microTime(this.#now()) }, signal);
      this.#see(renewed ?? (await this.#lease.read(signal)));
      if (renewed !== null) return true;
    }
  }

  async #take(record: LeaseRecord | null, signal: AbortSignal): Promise<boolean> {
    const time = microTime(this.#now());
    const ours = record?.holder === this.identity;
    const taken = await this.#lease.write(
      {
        holder: this.identity,
        durationSeconds: Math.ceil(this.#times.leaseMs / 1_000),
        transitions: record === null ? 0 : record.transitions + (ours ? 0 : 1),
        acquireTime: ours ? record.acquireTime : time,
        renewTime: time,
        resourceVersion: record?.resourceVersion ?? "",
      },
      signal,
    );
    if (taken === null) return false;
    this.#see(taken);
    return true;
  }

  async #release(): Promise<void> {
    const signal = AbortSignal.timeout(RELEASE_MS);
    try {
      // The last renewal may have been cut off after the server took it, so the record is read again.
      const held = await this.#lease.read(signal);
      if (held === null || held.holder !== this.identity) return;
      const time = microTime(this.#now());
      const free = { ...held, holder: "", durationSeconds: RELEASED_SECONDS, acquireTime: time, renewTime: time };
      const released = await this.#lease.write(free, signal);
      this.#see(released);
      if (released !== null) this.#log.info({ lease: this.#lease.description }, "lease given back");
    } catch (error) {
      // The next one waits for the lease to expire.
      this.#log.warn({ lease: this.#lease.description, error: messageOf(error) }, "the lease was not given back");
    }
  }

  #isFree(record: LeaseRecord | null): boolean {
    if (record === null || record.holder === "" || record.holder === this.identity) return true;
    const seen = this.#seen;
    return seen !== null && this.#now() >= seen.at + Math.max(record.durationSeconds * 1_000, this.#times.leaseMs);
  }

  #see(record: LeaseRecord | null): void {
    if (record === null) this.#seen = null;
    else if (this.#seen?.record.resourceVersion !== record.resourceVersion) this.#seen = { record, at: this.#now() };
  }
}

function expiryOf(record: LeaseRecord): number {
  const renewed = Date.parse(record.renewTime);
  return Number.isNaN(renewed) ? 0 : renewed + record.durationSeconds * 1_000;
}

function leaseLost(lease: string): FabricSyncError {
  return new FabricSyncError("LeaseLost", "fatal", `the lease ${lease} was lost`);
}

function heldBy(record: LeaseRecord | null, lease: string, until: number): FabricSyncError {
  const holder = record === null || record.holder === "" ? "another process" : record.holder;
  return new FabricSyncError(
    "LeaseHeld",
    "fatal",
    `${holder} holds the lease ${lease} (until ${new Date(until).toISOString()} unless it renews) and syncs already; ask it with the annotation fabricsync.dev/reconcile-at, or stop it first`,
    { context: { holder, lease } },
  );
}
