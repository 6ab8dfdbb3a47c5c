import { builtProgram } from "../support/bundle.ts";
import { FAULTS, faultRound } from "./faults.ts";
import { startRig } from "./rig.ts";
import type { Rig } from "./rig.ts";

/** `npm run soak -- faults` gives each 20 s. Here they last as long as it takes to be told of. */
const LASTS_MS = 3_500;
/** A server that is silent for a few seconds may just be busy; it is told of after five. */
const SILENT: readonly string[] = ["SIGSTOP"];
/** Over before anything is refused for long: what counts is that nothing is lost. */
const BRIEF: readonly string[] = ["promoted replica", "reset", "57P01 terminated"];
/** What the container of the operator is given (MiB). */
const MEMORY_MIB = 256;

describe("PostgreSQL fails under load", () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await startRig({ bundle: await builtProgram(), kinds: 24 });
    await rig.start();
    await rig.operator().ready();
  }, 180_000);
  afterAll(() => rig?.stop());

  test.each(FAULTS.map((fault) => [fault.name, fault] as const))(
    "%s: nothing is lost, it is told meanwhile, and the table is whole within 10 s",
    async (name, fault) => {
      const round = await faultRound(rig, fault, SILENT.includes(name) ? 9_000 : LASTS_MS, 100);
      expect(round.changes).toBeGreaterThan(100);
      expect(round.peakMiB).toBeLessThan(MEMORY_MIB);
      // It is the last one: before it nothing was ever lost.
      expect(round.foundLost).toBe(name === "promoted replica");
      if (!BRIEF.includes(name)) expect(round.said.join()).toMatch(/^False Store/);
    },
    90_000,
  );
});
