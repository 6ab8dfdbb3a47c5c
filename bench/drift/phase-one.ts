import { differencesOf } from "../../src/core/differences.ts";
import { normaliseActual } from "../../src/core/normalise.ts";
import type { ReducePolicy } from "../../src/core/policy.ts";
import { reduce } from "../../src/core/reduce.ts";
import type { ResourceRow } from "../../src/core/row.ts";
import { inSlices } from "../../src/store/slices.ts";
import type { Report } from "./report.ts";
import type { Rig } from "./rig.ts";
import { desired, vpc } from "./workload.ts";

/** Pairs that agree, with a schema, as the store compares them: by the batch of 500, giving way to the event loop. */
export async function phaseOne(objects: number, policy: ReducePolicy, report: Report): Promise<void> {
  const rows = Array.from({ length: objects }, (_, index) => pairOf(index, policy));
  // As in a process that has run for a while.
  for (const row of rows.slice(0, 1_000)) differencesOf(row, policy, true);
  let different = 0;
  const { tookMs, cpuMs, heldMs, heldCpuMs } = await watched(async () => {
    for (let start = 0; start < rows.length; start += 500) {
      const some = rows.slice(start, start + 500);
      const found = await inSlices(some, (row) => differencesOf(row, policy, true).found.length);
      different += found.reduce((sum, count) => sum + count, 0);
    }
  });
  const perSecond = rows.length / (tookMs / 1_000);
  const bytes = JSON.stringify(vpc(1, 1)).length;
  report.tell(
    `phase one, ${objects} pairs of ${bytes} bytes`,
    "≥ 20,000/s",
    `${Math.round(perSecond)}/s, ${different} differ`,
    perSecond >= 20_000 && different === 0,
  );
  report.remark(`by the CPU that it used, ${Math.round(rows.length / (cpuMs / 1_000))}/s`);
  const held = `${heldMs.toFixed(1)} ms, ${heldCpuMs.toFixed(1)} of them our own`;
  report.tell("event loop held meanwhile, at most", "≤ 20 ms", held, heldMs <= 20);
}

/** The same out of the table, as after a change of the Fabric's rules: what else the store does is in it. */
export async function byTheStore({ store, fence, policy, signal }: Rig, report: Report): Promise<void> {
  const other = { ...policy(), ignore: [{ kind: "Nothing", paths: ["/spec/nothing"] }] };
  const { tookMs, heldMs, heldCpuMs } = await watched(() => store.rejudge(fence, other, signal));
  report.tell(
    "event loop held while every row is judged anew, at most",
    "≤ 20 ms",
    `${heldMs.toFixed(1)} ms, ${heldCpuMs.toFixed(1)} of them our own, in ${(tookMs / 1_000).toFixed(1)} s`,
    heldMs <= 20,
  );
}

interface Watched {
  readonly tookMs: number;
  readonly cpuMs: number;
  /** The longest that nobody else was let through. */
  readonly heldMs: number;
  /** The most CPU that was used in one go: what is held longer than that was held by others who had the core, and by no code of ours. */
  readonly heldCpuMs: number;
}

async function watched(work: () => Promise<unknown>): Promise<Watched> {
  const cpuNow = (): number => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1_000;
  };
  const held = { ms: 0, cpuMs: 0 };
  const last = { at: performance.now(), cpu: cpuNow() };
  let looking = true;
  const look = (): void => {
    const now = { at: performance.now(), cpu: cpuNow() };
    held.ms = Math.max(held.ms, now.at - last.at);
    held.cpuMs = Math.max(held.cpuMs, now.cpu - last.cpu);
    Object.assign(last, now);
    if (looking) setImmediate(look);
  };
  setImmediate(look);
  const [began, cpu] = [performance.now(), process.cpuUsage()];
  await work();
  looking = false;
  const { user, system } = process.cpuUsage(cpu);
  const tookMs = performance.now() - began;
  return { tookMs, cpuMs: (user + system) / 1_000, heldMs: held.ms, heldCpuMs: held.cpuMs };
}

function pairOf(index: number, policy: ReducePolicy): ResourceRow {
  const context = { now: new Date().toISOString(), newId: () => "01890000-0000-7000-8000-000000000001" };
  const fabricId = "01890000-0000-7000-8000-000000000000";
  const git = reduce(null, desired(fabricId, index, 1000, "1".repeat(40)), policy, context);
  const made = vpc(index, 1000);
  const object = { ...made, metadata: { ...made.metadata, uid: "u", resourceVersion: "1" } };
  const seen = normaliseActual(object, { fabricId, writePath: "watch", observedAt: 0 });
  const { row } = reduce(git.row, seen, policy, context);
  if (row === null) throw new Error("there is no row");
  return row;
}
