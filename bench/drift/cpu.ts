import { readdirSync, readFileSync } from "node:fs";

/** The kernel counts in hundredths of a second (`getconf CLK_TCK`) on every Linux that Node runs on. */
const TICK_MS = 10;

/** CPU that this process and everything it started have used so far (ms), by the program's name. Nothing where there is no /proc. */
export function cpuByProgram(): Map<string, number> {
  const processes = new Map<number, { readonly parent: number; readonly name: string; readonly ms: number }>();
  for (const entry of listed()) {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) continue;
    const told = statOf(pid);
    if (told !== null) processes.set(pid, told);
  }
  const used = new Map<string, number>();
  for (const [pid, { name, ms }] of processes) {
    if (!isOurs(pid, processes)) continue;
    const program = pid === process.pid ? "this process" : name;
    used.set(program, (used.get(program) ?? 0) + ms);
  }
  return used;
}

/** What each program used between two looks, the busiest first: `kube-apiserver 12.3 s`. */
export function cpuBetween(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): string {
  return [...after]
    .map(([name, ms]) => [name, ms - (before.get(name) ?? 0)] as const)
    .filter(([, ms]) => ms >= 100)
    .sort(([, a], [, b]) => b - a)
    .map(([name, ms]) => `${name} ${(ms / 1_000).toFixed(1)} s`)
    .join(", ");
}

function isOurs(pid: number, processes: ReadonlyMap<number, { readonly parent: number }>): boolean {
  for (let at = pid; at > 1; at = processes.get(at)?.parent ?? 0) if (at === process.pid) return true;
  return false;
}

function listed(): string[] {
  try {
    return readdirSync("/proc");
  } catch {
    return []; // No Linux: the figure is left out.
  }
}

function statOf(pid: number): { parent: number; name: string; ms: number } | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const name = text.slice(text.indexOf("(") + 1, text.lastIndexOf(")"));
    // From the third field on: state, parent, …; fields 14 and 15 are user and system time.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return { parent: Number(fields[1]), name, ms: (Number(fields[11]) + Number(fields[12])) * TICK_MS };
  } catch {
    return null; // It has ended meanwhile.
  }
}
