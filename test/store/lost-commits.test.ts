import { actualVpc, clusterCursor, openStore, type StoreFixture } from "./fixture.ts";

describe("a batch that continues a cursor", () => {
  let at: StoreFixture;
  beforeEach(async () => {
    at = await openStore();
  });
  afterEach(async () => {
    await at[Symbol.asyncDispose]();
  });

  const write = (rv: string, after: string) =>
    at.apply([actualVpc(at, "vpc-1", { rv }, { spec: { rv } })], {
      cursors: [clusterCursor(rv)],
      expected: [clusterCursor(after)],
    });
  const versions = () => at.sql("SELECT actual_resource_version AS rv FROM fabric_sync.resource");

  test("is written where the cursor stands as it was saved, and where the answer of its COMMIT was lost", async () => {
    await at.apply([], { cursors: [clusterCursor("10")] });
    expect(await write("11", "10")).toMatchObject({ changed: 1, reconnected: false });
    expect(await write("11", "10")).toMatchObject({ unchanged: 1 });
  });

  test.each([
    ["behind", () => at.apply([], { cursors: [clusterCursor("9")] })],
    ["not there", () => Promise.resolve()],
  ])("is refused as a whole, and not put aside, where the cursor is %s", async (_, prepare) => {
    await prepare();
    await expect(write("11", "10")).rejects.toMatchObject({
      code: "CursorsLost",
      policy: "wait",
      scopes: [clusterCursor("10").scope],
    });
    expect(await versions()).toEqual([]);
    expect(await at.sql("SELECT FROM fabric_sync.resource_dead_letter")).toEqual([]);
  });
});
