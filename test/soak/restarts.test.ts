import { builtProgram } from "../support/bundle.ts";
import { awayRound } from "./away.ts";
import { killRounds } from "./kills.ts";
import type { KillRound } from "./kills.ts";
import { changeMuch, restartRound } from "./restarts.ts";
import { startRig } from "./rig.ts";
import type { Rig } from "./rig.ts";

const KINDS = 8;
/** `npm run soak` does 200, over longer lives (ms). */
const KILLS = 20;
const LIFE_MS = 2_500;
describe("an operator that ends and comes back", () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await startRig({ bundle: await builtProgram(), kinds: KINDS });
    await rig.start();
    await rig.operator().ready(60_000);
    await changeMuch(rig, 1);
  }, 300_000);
  afterAll(() => rig?.stop(), 120_000);

  test("nothing changed: no list, no row is written or even locked", async () => {
    const { watches, ...rest } = await restartRound(rig, () => Promise.resolve());
    expect(rest).toEqual({ lists: 0, events: {}, reasons: [], written: [] });
    // One of them may have been cut and taken up again meanwhile.
    expect(watches).toBeGreaterThanOrEqual(KINDS);
  }, 120_000);

  test("something changed: what was missed comes by the watch, from the cursor", async () => {
    const round = await restartRound(rig, () => changeMuch(rig, 2));
    expect(round.lists).toBe(0);
    expect(round.watches).toBeGreaterThanOrEqual(KINDS);
    const events = Object.keys(round.events);
    expect(events).toEqual(expect.arrayContaining(["added watch", "deleted watch", "modified watch"]));
    expect(events.filter((event) => !event.endsWith(" watch"))).toEqual([]);
  }, 120_000);

  test("the cursor is too old: lists, and what was deleted meanwhile ends with that reason", async () => {
    const round = await restartRound(rig, async () => {
      await changeMuch(rig, 3);
      await rig.plane.forgetHistory();
    });
    expect(round.lists).toBeGreaterThanOrEqual(KINDS);
    expect(round.events["deleted list"]).toBeGreaterThan(0);
    expect(round.events["deleted watch"]).toBeUndefined();
    expect(round.reasons).toContainEqual(expect.stringContaining("deleted while nobody watched"));
  }, 400_000);

  test("kill -9 under load loses nothing and repeats nothing, whenever it comes", async () => {
    const rounds: KillRound[] = [];
    await killRounds(rig, { rounds: KILLS, seed: 1, lifeMs: LIFE_MS }, (round) => rounds.push(round));
    expect(rounds).toHaveLength(KILLS);
    expect(rounds.reduce((sum, { changes }) => sum + changes, 0)).toBeGreaterThanOrEqual(KILLS * 10);
  }, 1_200_000);

  test("an API server that goes away under it takes no row with it", async () => {
    const round = await awayRound(rig, 6_000);
    expect(round.rowsMeanwhile).toBe(round.rowsBefore);
    expect(round.rowsBefore).toBeGreaterThan(10);
  }, 400_000);
});
