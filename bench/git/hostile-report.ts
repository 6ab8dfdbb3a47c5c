import { percentile } from "./report.ts";

export interface HostileResult {
  /** CPU of a push without anything hostile in it, ms. */
  readonly normal: readonly number[];
  readonly cases: readonly {
    readonly what: string;
    readonly refused: string;
    readonly became: string;
    readonly held: boolean;
    readonly cpuMs: number;
  }[];
  /** ms from a watch event to its commit. */
  readonly latency: { readonly quiet: readonly number[]; readonly hostile: readonly number[] };
}

/** ms of CPU that one hostile thing may cost, over what its push costs without it. */
const GOAL_MS = 250;

export function renderHostile(result: HostileResult, made: { command: string; machine: string }): string {
  const normal = percentile(result.normal, 0.5);
  const rows = result.cases.map(({ what, became, held, cpuMs }) => {
    const more = Math.max(0, cpuMs - normal);
    return `| ${what} | ${became}${held ? "" : " (**not what it should be**)"} | ${Math.round(more)} ms | ${held && more <= GOAL_MS ? "yes" : "**no**"} |`;
  });
  const { quiet, hostile } = result.latency;
  const [before, during] = [percentile(quiet, 0.99), percentile(hostile, 0.99)];
  return [
    "# Git: what is pushed to do harm",
    "",
    `Made by \`${made.command}\` on ${made.machine}. Each is pushed alone into a repository of 20 good files, one of which changes with it. CPU: of the`,
    "program with its threads and of the git processes that answer it, from the end of the transfer to the finished plan, less what a",
    "stream of 100 watch events a second takes of it, which runs beside all of them, and less the",
    `${Math.round(normal)} ms that a push without it takes (median of ${result.normal.length}).`,
    "",
    `| pushed | becomes | CPU | ≤ ${GOAL_MS} ms |`,
    "| --- | --- | --- | --- |",
    ...rows,
    "",
    `A watch event takes ${percentile(quiet, 0.5).toFixed(1)} ms to its commit beside harmless pushes and ${percentile(hostile, 0.5).toFixed(1)} ms beside these (medians of ${quiet.length} and ${hostile.length});`,
    `99 of 100 take ${before.toFixed(1)} ms and ${during.toFixed(1)} ms: ${(during / before).toFixed(2)}×, goal ≤ 2×, held: ${during <= 2 * before ? "yes" : "**no**"}.`,
    "",
  ].join("\n");
}
