/**
 * The shipped operator between a real control plane and a real PostgreSQL, part by part; see README.md for what each measures.
 * `node bench/watch/main.ts [PART…] [--objects N] [--kinds N] [--bytes N] [--rounds N] [--seconds N] [--sizes N,N,…] [--fabrics N]`
 */
import { parseArgs } from "node:util";
import { fairness, latency, rate } from "./following.ts";
import { growth } from "./growth.ts";
import { initialLoad, protocols } from "./initial.ts";
import { publish } from "./report.ts";
import type { Section } from "./report.ts";
import { startRig } from "./rig.ts";
import type { Rig } from "./rig.ts";
import { fabrics, idle } from "./standing.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    objects: { type: "string", default: "10000" },
    kinds: { type: "string" },
    bytes: { type: "string", default: "3000" },
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "20" },
    sizes: { type: "string", default: "1000,10000" },
    fabrics: { type: "string", default: "50" },
  },
});
const number = (text: string): number => Number.parseInt(text, 10);
const objects = number(values.objects);
const bytes = number(values.bytes);
const seconds = number(values.seconds);
const rounds = number(values.rounds);
const sizes = values.sizes.split(",").map(number);

interface Part {
  /** Unless `--kinds` says otherwise. */
  readonly kinds: number;
  /** Objects that are there before it begins; it may make more. */
  readonly objects: number;
  readonly measure: (rig: Rig, kinds: number) => Promise<Section>;
}

const PARTS: Readonly<Record<string, Part>> = {
  initial: { kinds: 10, objects, measure: (rig, kinds) => initialLoad(rig, objects, kinds, rounds) },
  http2: { kinds: 10, objects, measure: (rig, kinds) => protocols(rig, kinds, rounds) },
  growth: { kinds: 10, objects: 0, measure: (rig, kinds) => growth(rig, sizes, kinds, bytes) },
  latency: { kinds: 24, objects: 480, measure: (rig, kinds) => latency(rig, kinds, 480, seconds) },
  rate: { kinds: 24, objects: 2_400, measure: (rig, kinds) => rate(rig, kinds, 2_400, seconds) },
  idle: { kinds: 24, objects, measure: (rig, kinds) => idle(rig, objects, kinds, Math.max(60, seconds)) },
  fabrics: { kinds: 10, objects: 1_000, measure: (rig, kinds) => fabrics(rig, number(values.fabrics), kinds, seconds) },
  fairness: { kinds: 2, objects: 0, measure: (rig) => fairness(rig, objects, bytes, seconds) },
};

const wanted = positionals.length === 0 ? Object.keys(PARTS) : positionals;
const command = ["node bench/watch/main.ts", ...process.argv.slice(2)].join(" ");
for (const name of wanted) {
  const part = PARTS[name];
  if (part === undefined) throw new Error(`${name} is none of ${Object.keys(PARTS).join(", ")}`);
  const kinds = values.kinds === undefined ? part.kinds : number(values.kinds);
  // Servers of its own: nothing that one part leaves behind weighs on the next.
  const rig = await startRig();
  try {
    await rig.kinds(kinds);
    await rig.objects(0, part.objects, kinds, bytes);
    await rig.fabric("bench");
    await publish(await part.measure(rig, kinds), command);
  } finally {
    await rig.stop();
  }
}
