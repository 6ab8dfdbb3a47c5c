import { readdir, readFile } from "node:fs/promises";

/** CPU time that was used so far (µs): of this process, and of a server's processes where they are ours to see. */
export interface Cpu {
  readonly client: number;
  readonly server: number;
}

export type Meter = () => Promise<Cpu>;

/** A kernel's tick (µs): 100 a second on Linux, whatever the kernel's own clock. */
const TICK_US = 10_000;

/** @param postmaster process id of the server; null where it is another machine's, and its time unknown */
export function meterOf(postmaster: number | null): Meter {
  return async () => {
    const { user, system } = process.cpuUsage();
    return { client: user + system, server: postmaster === null ? Number.NaN : await childrenOf(postmaster) };
  };
}

/** Sessions, and the processes that write behind them. One that ended since is not in it: pools keep theirs. */
async function childrenOf(parent: number): Promise<number> {
  const processes = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name));
  let ticks = 0;
  for (const id of processes) {
    // It may end at any moment; then it is none of ours, or idle.
    const stat = await readFile(`/proc/${id}/stat`, "utf8").catch(() => "");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (Number(fields[1]) === parent) ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks * TICK_US;
}
