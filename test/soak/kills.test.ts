import { builtProgram } from "../support/bundle.ts";
import { awayRound } from "./away.ts";
import { killRounds } from "./kills.ts";
import type { KillRound } from "./kills.ts";
import { startRig } from "./rig.ts";
import type { Rig } from "./rig.ts";

/** `npm run soak` does 200. */
const KILLS = 20;

describe("kill -9 of the operator under load", () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await startRig({ bundle: await builtProgram(), kinds: 8 });
  }, 180_000);
  afterAll(() => rig?.stop());

  test("loses nothing and repeats nothing, whenever it comes", async () => {
    const rounds: KillRound[] = [];
    await killRounds(rig, KILLS, 1, (round) => rounds.push(round));
    expect(rounds).toHaveLength(KILLS);
    expect(rounds.reduce((sum, { changes }) => sum + changes, 0)).toBeGreaterThan(KILLS * 10);
  }, 600_000);

  test("an API server that goes away under it takes no row with it", async () => {
    const round = await awayRound(rig, 6_000);
    expect(round.rowsMeanwhile).toBe(round.rowsBefore);
    expect(round.rowsBefore).toBeGreaterThan(10);
  }, 120_000);
});
