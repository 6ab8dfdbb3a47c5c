import { startControlPlane } from "../../support/control-plane.ts";
import type { ControlPlane } from "../../support/control-plane.ts";
import { openStore } from "../../store/fixture.ts";
import { waitFor } from "../../support/wait.ts";
import { MemoryTable } from "./memory-table.ts";
import { startMirror } from "./mirror.ts";
import type { Mirror } from "./mirror.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";
const SELECTIONS = [{ group: "", kinds: ["ConfigMap"], namespaces: ["default"] }];

describe("a cluster source and its API server's own troubles", () => {
  let plane: ControlPlane;
  let m: Mirror;

  beforeAll(async () => {
    plane = await startControlPlane();
  }, 180_000);
  afterAll(() => plane?.stop());
  afterEach(async () => {
    await m.stop();
    await plane.request("DELETE", MAPS);
  });

  const create = (name: string) => plane.request("POST", MAPS, { body: { metadata: { name } } });
  const mirror = (table?: MemoryTable): Mirror => {
    m = startMirror({
      kubeconfig: plane.adminKubeconfig.path,
      selections: SELECTIONS,
      ...(table === undefined ? {} : { table }),
    });
    return m;
  };
  const works = async (name: string): Promise<void> => {
    await create(name);
    await waitFor(`${name} to arrive`, () => m.table.row(name), { timeoutMs: 60_000 });
  };

  test("an API server that is killed and comes back: said meanwhile, and nothing is lost", async () => {
    mirror();
    await works("a");
    await plane.halt();
    await waitFor("the trouble to be told", () => m.status("ConfigMap")?.state === "retrying");
    expect(m.status("ConfigMap")?.reason).toBe("KubeUnreachable");
    const complete = m.status("ConfigMap")?.completeAt;
    expect(m.table.names).toContain("a");
    // However often it is tried meanwhile: nothing is known to be complete any later.
    const attempts = m.failures.length;
    await waitFor("more attempts", () => m.failures.length >= attempts + 2, { timeoutMs: 60_000 });
    expect(m.status("ConfigMap")?.completeAt).toBe(complete);
    await plane.restart();
    await works("b");
    await m.watching("ConfigMap");
    await waitFor("its age", () => (m.status("ConfigMap")?.completeAt ?? 0) > (complete ?? Infinity));
    expect(m.table.deletions).toEqual([]);
  }, 180_000);

  test("history compacted while nobody watched: a list, and what was deleted meanwhile ends", async () => {
    mirror();
    await works("kept");
    await works("lost");
    await m.stop();
    const table = new MemoryTable(m.table);
    await plane.request("DELETE", `${MAPS}/lost`);
    await create("new");
    await plane.forgetHistory();
    mirror(table);
    await waitFor("the list", () => m.table.row("new") && !m.table.row("lost"), { timeoutMs: 60_000 });
    // Once, or again where a server that has just begun asks for patience.
    expect(m.started.watchlist).toBeGreaterThanOrEqual(1);
    expect(m.table.deletions[0]?.reason).toContain("not in a complete list");
  }, 180_000);

  test("history compacted under a watch, with a restart of the API server: the watch goes on, by way of a list", async () => {
    mirror();
    await works("a");
    await m.watching("ConfigMap");
    const begun = m.started.watchlist;
    // The storage moves on, beyond what this watch has seen.
    const secrets = "/api/v1/namespaces/default/secrets";
    await plane.request("POST", secrets, { body: { metadata: { name: "other" } } });
    await plane.forgetHistory();
    await works("b");
    await m.watching("ConfigMap");
    await plane.request("DELETE", `${secrets}/other`);
    expect(m.started.watchlist).toBeGreaterThan(begun);
    expect(m.table.names).toEqual(expect.arrayContaining(["a", "b"]));
    expect(m.table.deletions).toEqual([]);
  }, 180_000);

  test("a server without WatchList is listed in pages", async () => {
    await plane.restart({ watchList: false });
    await create("a");
    mirror();
    await waitFor("the row", () => m.table.row("a"), { timeoutMs: 60_000 });
    await works("b");
    expect(m.started.list).toBeGreaterThanOrEqual(1);
    expect(m.started.watch).toBeGreaterThanOrEqual(1);
  }, 180_000);

  test("etcd that is restored to an older state: the rows go back, what is gone ends, what is back is there", async () => {
    const fixture = await openStore();
    const selections = SELECTIONS;
    m = startMirror({ kubeconfig: plane.adminKubeconfig.path, selections, real: fixture });
    const rows = async (): Promise<string> => {
      const found = await fixture.sql<{ told: string }>(
        `SELECT name || '=' || coalesce(actual_spec -> 'data' ->> 'value', '') AS told
           FROM fabric_sync.resource WHERE actual_spec IS NOT NULL ORDER BY name`,
      );
      return found.map(({ told }) => told).join(" ");
    };
    const becomes = (expected: string) =>
      waitFor(`rows ${expected}`, async () => (await rows()) === expected, { timeoutMs: 60_000 });
    const put = (name: string, value: string) =>
      plane.request("PATCH", `${MAPS}/${name}?fieldManager=test`, {
        body: { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: { value } },
        headers: { "content-type": "application/apply-patch+yaml" },
      });
    try {
      await Promise.all([put("changed", "1"), put("deleted", "1"), put("same", "1")]);
      await becomes("changed=1 deleted=1 same=1");
      await plane.saveStorage();
      await put("changed", "2");
      await put("late", "1");
      await plane.request("DELETE", `${MAPS}/deleted`);
      await becomes("changed=2 late=1 same=1");
      await plane.restoreStorage();
      await becomes("changed=1 deleted=1 same=1");
      await put("same", "2");
      await becomes("changed=1 deleted=1 same=2");
      // And the same while nobody watches.
      await put("changed", "3");
      await becomes("changed=3 deleted=1 same=2");
      await m.stop();
      await plane.restoreStorage();
      m = startMirror({ kubeconfig: plane.adminKubeconfig.path, selections, real: fixture });
      await becomes("changed=1 deleted=1 same=1");
      const reasons = await fixture.sql<{ reason: string }>(
        "SELECT reason FROM fabric_sync.resource_event WHERE name = 'changed' ORDER BY at DESC LIMIT 1",
      );
      expect(reasons[0]?.reason).toContain("was set back");
    } finally {
      await m.stop();
      await fixture[Symbol.asyncDispose]();
    }
  }, 180_000);
});
