import { percentile } from "./report.ts";

/** What was spent, ms of CPU, and what a fixed loop took just before. */
interface Cost {
  readonly cpuMs: number;
  readonly loopMs: number;
}

export interface HostileResult {
  /** A push without anything hostile in it. */
  readonly normal: readonly Cost[];
  readonly cases: readonly (Cost & {
    readonly what: string;
    readonly refused: string;
    readonly became: string;
    readonly held: boolean;
  })[];
  /** ms that the fixed loop takes on a machine that does nothing else; 0 for the least of this run. */
  readonly healthyMs: number;
  /** ms from a watch event to its commit. */
  readonly latency: { readonly quiet: readonly number[]; readonly hostile: readonly number[] };
}

/** ms of CPU that one hostile thing may cost, over what its push costs without it. */
const GOAL_MS = 250;

export function renderHostile(result: HostileResult, made: { command: string; machine: string }): string {
  const loops = [...result.normal, ...result.cases].map(({ loopMs }) => loopMs);
  const healthy = result.healthyMs || Math.min(...loops);
  /** In units of the loop: what it was while the machine was as it was. */
  const normal = percentile(
    result.normal.map(({ cpuMs, loopMs }) => cpuMs / loopMs),
    0.5,
  );
  const rows = result.cases.map(({ what, became, held, cpuMs, loopMs }) => {
    const more = Math.max(0, cpuMs / loopMs - normal);
    const scaled = more * healthy;
    const cells = [what, became + (held ? "" : " (**not what it should be**)"), ms(more * loopMs), more.toFixed(1)];
    return `| ${[...cells, ms(scaled), held && scaled <= GOAL_MS ? "yes" : "**no**"].join(" | ")} |`;
  });
  const { quiet, hostile } = result.latency;
  const [before, during] = [percentile(quiet, 0.99), percentile(hostile, 0.99)];
  return [
    "# Git: what is pushed to do harm",
    "",
    `Made by \`${made.command}\` on ${made.machine}. Each is pushed alone into a repository of 20 good files, one of which changes with it. CPU: of the`,
    "program with its threads and of the git processes that answer it, from the end of the transfer to the finished plan, less what a",
    "stream of 100 watch events a second takes of it, which runs beside all of them, and less what a push without it takes",
    `(${ms(normal * healthy)}, median of ${result.normal.length}).`,
    "",
    "The machine may do other work, and then takes more CPU for the same. A fixed loop is run before each push; here it took",
    `${ms(Math.min(...loops))} at least, ${ms(percentile(loops, 0.5))} in the middle and ${ms(Math.max(...loops))} at most. \`loops\` is what was spent in terms of the one before it;`,
    `\`scaled\` is that many loops of ${ms(healthy)}, ${result.healthyMs ? "as told to it (`--healthy-ms`)" : "the fastest of this run"}, and is what is held against the goal.`,
    "",
    `| pushed | becomes | CPU as measured | loops | scaled | ≤ ${GOAL_MS} ms |`,
    "| --- | --- | --- | --- | --- | --- |",
    ...rows,
    "",
    `A watch event takes ${percentile(quiet, 0.5).toFixed(1)} ms to its commit beside harmless pushes and ${percentile(hostile, 0.5).toFixed(1)} ms beside these (medians of ${quiet.length} and ${hostile.length});`,
    `99 of 100 take ${before.toFixed(1)} ms and ${during.toFixed(1)} ms: ${(during / before).toFixed(2)}×, goal ≤ 2×, held: ${during <= 2 * before ? "yes" : "**no**"}.`,
    "",
  ].join("\n");
}

function ms(value: number): string {
  return `${Math.round(value)} ms`;
}
