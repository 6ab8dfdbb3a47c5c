import { controlPlane } from "../../support/shared-control-plane.ts";
import type { TestNamespace } from "../../support/control-plane.ts";
import { waitFor } from "../../support/wait.ts";
import { openStore } from "../../store/fixture.ts";
import type { StoreFixture } from "../../store/fixture.ts";
import { startMirror } from "./mirror.ts";
import type { Mirror } from "./mirror.ts";

interface Row {
  name: string;
  value: string;
}

describe("a cluster source with pump and store on real Postgres", () => {
  let fixture: StoreFixture;
  let namespace: TestNamespace;
  let maps: string;
  let m: Mirror;

  beforeEach(async () => {
    fixture = await openStore();
    namespace = await controlPlane.createNamespace();
    maps = `/api/v1/namespaces/${namespace.name}/configmaps`;
  });
  afterEach(async () => {
    await m.stop();
    await fixture[Symbol.asyncDispose]();
    await namespace.remove();
  });

  const mirror = (): Mirror => {
    const selections = [{ group: "", kinds: ["ConfigMap"], namespaces: [namespace.name] }];
    m = startMirror({ kubeconfig: controlPlane.adminKubeconfig.path, selections, real: fixture });
    return m;
  };
  const create = (name: string) =>
    controlPlane.request("POST", maps, { body: { metadata: { name }, data: { value: "1" } } });
  const change = (name: string, value: string) =>
    controlPlane.request("PATCH", `${maps}/${name}`, {
      body: { data: { value } },
      headers: { "content-type": "application/merge-patch+json" },
    });
  const rows = async (): Promise<string> => {
    const found = await fixture.sql<Row>(
      `SELECT name, actual_spec -> 'data' ->> 'value' AS value FROM fabric_sync.resource WHERE actual_spec IS NOT NULL ORDER BY name`,
    );
    return found.map(({ name, value }) => `${name}=${value}`).join(" ");
  };
  const events = async (): Promise<string[]> => {
    const found = await fixture.sql<{ told: string }>(
      `SELECT name || ' ' || event_type || ' ' || trigger AS told FROM fabric_sync.resource_event ORDER BY at, name`,
    );
    return found.map(({ told }) => told);
  };
  const becomes = (expected: string) => waitFor(`rows ${expected}`, async () => (await rows()) === expected);

  test("loads, follows, restarts without list or write, and ends what went while it was down", async () => {
    await Promise.all(["a", "b"].map(create));
    mirror();
    await becomes("a=1 b=1");
    await m.watching("ConfigMap");
    await change("a", "2");
    await becomes("a=2 b=1");
    await m.stop();
    const history = await events();
    expect(history).toHaveLength(3);

    mirror();
    await m.watching("ConfigMap");
    await create("c");
    await becomes("a=2 b=1 c=1");
    expect(m.started).toEqual({ watchlist: 0, list: 0, watch: 1 });
    expect(await events()).toEqual([...history, "c added watch"]);
    await m.stop();

    await controlPlane.request("DELETE", `${maps}/a`);
    await fixture.sql("DELETE FROM fabric_sync.cursor");
    mirror();
    await becomes("b=1 c=1");
    expect((await events()).at(-1)).toBe("a deleted list");
    expect(m.started.watchlist).toBe(1);
  });

  /** What a replica that was promoted too early looks like: `b` and the cursor's last step are not there. */
  const loseB = async (position: string): Promise<void> => {
    await fixture.sql("DELETE FROM fabric_sync.resource_event WHERE name = 'b'");
    await fixture.sql("DELETE FROM fabric_sync.resource WHERE name = 'b'");
    await fixture.sql("UPDATE fabric_sync.cursor SET position = $1", [position]);
  };
  const withB = async (): Promise<string> => {
    await create("a");
    mirror();
    await becomes("a=1");
    await m.watching("ConfigMap");
    const before = await waitFor("the cursor of the list", async () => {
      const [cursor] = await fixture.sql<{ position: string }>("SELECT position FROM fabric_sync.cursor");
      return cursor?.position;
    });
    await create("b");
    await becomes("a=1 b=1");
    return before;
  };

  test("a database that lost commits while nobody noticed: the next write finds out, and all is taken up again", async () => {
    await loseB(await withB());
    await create("c");
    await becomes("a=1 b=1 c=1");
    expect(m.started).toMatchObject({ watchlist: 1, list: 0, watch: 1 });
    expect(await events()).toHaveLength(3);
  });

  test("a database that lost commits and was seen to come back is asked for its cursors at once", async () => {
    await loseB(await withB());
    m.source.storeInterrupted();
    await becomes("a=1 b=1");
    expect(m.started).toMatchObject({ watchlist: 1, list: 0, watch: 1 });
    // Nothing is wrong any more: going on from there is no loss.
    await create("c");
    await becomes("a=1 b=1 c=1");
    expect(m.started.watch).toBe(1);
  });

  test("a database that lost all of a stream's commits is listed into", async () => {
    await withB();
    await fixture.sql("DELETE FROM fabric_sync.cursor");
    await fixture.sql("DELETE FROM fabric_sync.resource");
    await create("c");
    await becomes("a=1 b=1 c=1");
    expect(m.started).toMatchObject({ watchlist: 2, watch: 0 });
  });
});
