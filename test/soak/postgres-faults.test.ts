import { builtProgram } from "../support/bundle.ts";
import { faultRound } from "./fault-round.ts";
import { FAULTS } from "./faults.ts";
import { startRig } from "./rig.ts";
import type { Rig } from "./rig.ts";

/** `npm run soak -- faults` gives each 20 s. Here they last as long as it takes to be told of. */
const LASTS_MS = 2_000;

describe("PostgreSQL fails under load", () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await startRig({ bundle: await builtProgram(), kinds: 24 });
    await rig.start();
    await rig.operator().ready(60_000);
  }, 300_000);
  afterAll(() => rig?.stop(), 120_000);

  test.each(FAULTS.map((fault) => [fault.name, fault] as const))(
    "%s: nothing is lost, it is told meanwhile, and the table is whole within 10 s",
    async (_name, fault) => {
      const round = await faultRound(rig, fault, LASTS_MS, 100);
      expect(round.said).not.toEqual([]);
    },
    420_000,
  );
});
