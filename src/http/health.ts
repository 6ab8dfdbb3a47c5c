/**
 * `/livez`: the loops make progress. Restarting helps when they do not; a database that is away is no reason.
 *
 * `/readyz`: the database answers and is at this binary's migration, and for each Fabric that this process works on every source
 * was taken in once, or a condition says why not. A replica that stands by has no Fabrics, and is ready to take over.
 */
import { messageOf } from "../core/errors.ts";
import { redactText } from "../core/redact.ts";
import { jsonAnswer } from "./answer.ts";
import type { Answer } from "./answer.ts";
import type { LoopReport } from "./loops.ts";
import type { FabricReport } from "./reports.ts";

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly message: string;
}

export interface ReadinessFacts {
  /** Null while the database does not answer; `error` says what it said. */
  readonly schema: { readonly applied: number; readonly needed: number } | null;
  readonly error: string;
  /** Null until it is known whether this replica leads, or stands by. */
  readonly role: "leading" | "standby" | null;
  /** Whether all Fabrics were listed once: before, no Fabric means nothing. */
  readonly listed: boolean;
  readonly fabrics: readonly FabricReport[];
}

/** The conditions of the sources; `Ready` is made of them and may be False for other reasons. */
const SOURCE_CONDITIONS = ["ClusterReady", "GitReady"];

export function livenessChecks(loops: readonly LoopReport[]): Check[] {
  const late = loops.filter((loop) => loop.silentMs > loop.withinMs);
  if (late.length === 0) return [{ name: "loops", ok: true, message: `${loops.length} loops make progress` }];
  return late.map(({ loop, silentMs, withinMs }) => ({
    name: loop,
    ok: false,
    message: `no progress for ${seconds(silentMs)}, at most ${seconds(withinMs)} are normal`,
  }));
}

export function readinessChecks(facts: ReadinessFacts): Check[] {
  return [databaseCheck(facts), roleCheck(facts), ...facts.fabrics.map(fabricCheck)];
}

/** 200 when every check holds, else 503; the body names each. */
export function probeAnswer(checks: readonly Check[]): Answer {
  const ok = checks.every((check) => check.ok);
  return jsonAnswer(ok ? 200 : 503, { ok, checks });
}

function databaseCheck({ schema, error }: ReadinessFacts): Check {
  const name = "database";
  if (schema === null) return { name, ok: false, message: error === "" ? "not asked yet" : error };
  const { applied, needed } = schema;
  if (applied === needed) return { name, ok: true, message: `at migration ${applied}` };
  const remedy = applied < needed ? "run fabric-sync db migrate" : "this fabric-sync is too old for it";
  return { name, ok: false, message: `at migration ${applied}, this fabric-sync needs ${needed}: ${remedy}` };
}

function roleCheck({ role, listed }: ReadinessFacts): Check {
  const name = "fabrics";
  if (role === null) return { name, ok: false, message: "the lease was not read yet" };
  if (role === "standby") return { name, ok: true, message: "standing by, another replica leads" };
  return { name, ok: listed, message: listed ? "listed and watched" : "not listed yet" };
}

function fabricCheck({ namespace, name, conditions }: FabricReport): Check {
  const sources = conditions.filter(({ type }) => SOURCE_CONDITIONS.includes(type));
  const open = sources.filter(({ status, reason }) => status === "Unknown" && reason !== "Suspended");
  const invalid = conditions.find(({ type, status }) => type === "Stalled" && status === "True");
  const ok = invalid !== undefined || (sources.length > 0 && open.length === 0);
  const told = ok ? conditions.filter(({ type }) => type === "Ready") : open;
  const message = told.map((condition) => `${condition.type} ${condition.status}: ${condition.message}`).join("; ");
  return { name: `fabric ${namespace}/${name}`, ok, message: message === "" ? "not started yet" : message };
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

/**
 * Asks the database at most once a second however many probes come, and gives up a little before a kubelet does, which waits for
 * one second by default.
 */
export class SchemaProbe {
  static readonly #FRESH_MS = 1_000;
  readonly #ask: () => Promise<{ applied: number; needed: number }>;
  readonly #timeoutMs: number;
  #asked: { at: number; answer: Promise<Pick<ReadinessFacts, "schema" | "error">> } | null = null;

  constructor(ask: () => Promise<{ applied: number; needed: number }>, timeoutMs = 900) {
    this.#ask = ask;
    this.#timeoutMs = timeoutMs;
  }

  answer(): Promise<Pick<ReadinessFacts, "schema" | "error">> {
    const now = performance.now();
    if (this.#asked === null || now - this.#asked.at > SchemaProbe.#FRESH_MS) {
      this.#asked = { at: now, answer: this.#askOnce() };
    }
    return this.#asked.answer;
  }

  async #askOnce(): Promise<Pick<ReadinessFacts, "schema" | "error">> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(new Error("the database did not answer in time")), this.#timeoutMs);
    try {
      return { schema: await Promise.race([this.#ask(), late.promise]), error: "" };
    } catch (error) {
      return { schema: null, error: redactText(messageOf(error)) };
    } finally {
      clearTimeout(timer);
    }
  }
}
