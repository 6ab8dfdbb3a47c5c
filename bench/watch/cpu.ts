import { readdirSync, readFileSync } from "node:fs";
import { cpus } from "node:os";
import { table } from "./report.ts";

/** Clock ticks a second of /proc: 100 on every Linux that Node runs on. */
const TICKS = 100;

/** CPU seconds, of user and system. */
export interface Spent {
  readonly operator: number;
  readonly postgres: number;
  readonly apiServer: number;
  readonly etcd: number;
}

/** Looks what each has taken so far; `operator` is 0 until there is one. */
export type Meter = (operator?: number) => Spent;

interface Process {
  readonly parent: number;
  readonly seconds: number;
  /** Of children that have ended. */
  readonly endedSeconds: number;
}

/** @param postmaster its sessions count with it, those that have ended too. The servers of the control plane are this process's own children. */
export function meterOf(postmaster: number): Meter {
  const ours = children(process.pid);
  const named = (name: string): number | undefined => ours.find((pid) => nameOf(pid) === name);
  const [apiServer, etcd] = [named("kube-apiserver"), named("etcd")];
  const own = (pid: number | undefined): number => (pid === undefined ? 0 : (read(pid)?.seconds ?? 0));
  return (operator) => {
    const server = read(postmaster);
    const sessions = children(postmaster).reduce((sum, pid) => sum + own(pid), 0);
    const postgres = (server?.seconds ?? 0) + (server?.endedSeconds ?? 0) + sessions;
    return { operator: own(operator), postgres, apiServer: own(apiServer), etcd: own(etcd) };
  };
}

export function between(before: Spent, after: Spent): Spent {
  return {
    operator: after.operator - before.operator,
    postgres: after.postgres - before.postgres,
    apiServer: after.apiServer - before.apiServer,
    etcd: after.etcd - before.etcd,
  };
}

/** Who took the machine's CPU meanwhile, and what that means for what was measured. */
export function profile(spent: Spent, { count, unit, ms }: { count: number; unit: string; ms: number }): string {
  const cores = cpus().length;
  const had = (cores * ms) / 1_000;
  const rows = Object.entries(NAMES).map(([key, name]) => {
    const seconds = spent[key as keyof Spent];
    return [name, seconds.toFixed(2), ((seconds * 1e6) / count).toFixed(0), `${((100 * seconds) / had).toFixed(0)} %`];
  });
  const others = spent.postgres + spent.apiServer + spent.etcd;
  const all = others + spent.operator;
  rows.push(["all of them", all.toFixed(2), ((all * 1e6) / count).toFixed(0), `${((100 * all) / had).toFixed(0)} %`]);
  return table(["CPU of", "s", `µs ${unit}`, `of ${cores} cores`], rows);
}

/** The least that the other processes alone take of the machine's cores (ms), whatever the operator does. */
export function leastWithout({ postgres, apiServer, etcd }: Spent): number {
  return ((postgres + apiServer + etcd) * 1_000) / cpus().length;
}

const NAMES: Readonly<Record<keyof Spent, string>> = {
  operator: "the operator",
  postgres: "PostgreSQL, all its processes",
  apiServer: "the API server",
  etcd: "etcd",
};

function children(parent: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => read(pid)?.parent === parent);
}

/** null for a process that has ended. */
function read(pid: number): Process | null {
  const text = file(pid, "stat");
  if (text === null) return null;
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const ticks = (first: number): number => (Number(fields[first]) + Number(fields[first + 1])) / TICKS;
  return { parent: Number(fields[1]), seconds: ticks(11), endedSeconds: ticks(13) };
}

function nameOf(pid: number): string {
  return file(pid, "comm")?.trim() ?? "";
}

/** Any process may end between two looks. */
function file(pid: number, name: string): string | null {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch {
    return null;
  }
}
