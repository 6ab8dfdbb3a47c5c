import { controlPlane } from "../../support/shared-control-plane.ts";
import type { TestNamespace } from "../../support/control-plane.ts";
import { waitFor } from "../../support/wait.ts";
import { openStore } from "../../store/fixture.ts";
import type { StoreFixture } from "../../store/fixture.ts";
import { freshnessOf } from "../../../src/core/freshness.ts";
import type { StreamTiming } from "../../../src/sources/cluster/timing.ts";
import { startFaultProxy } from "./fault-proxy.ts";
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

  const mirror = (
    kubeconfig = controlPlane.adminKubeconfig.path,
    timing: Partial<StreamTiming> = {},
    of = { group: "", kinds: ["ConfigMap"] },
  ): Mirror => {
    const selections = [{ ...of, namespaces: [namespace.name] }];
    m = startMirror({ kubeconfig, selections, real: fixture, timing });
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

  test("a selection that changes ends rows and begins others, and history says why", async () => {
    await create("a");
    mirror();
    await becomes("a=1");
    const of = (kind: string) => [{ group: "", kinds: [kind], namespaces: [namespace.name] }];
    const told = async (name: string): Promise<string | undefined> => {
      const found = await fixture.sql<{ told: string }>(
        `SELECT event_type || ' ' || trigger || ': ' || reason AS told FROM fabric_sync.resource_event WHERE name = $1 ORDER BY seq DESC LIMIT 1`,
        [name],
      );
      return found[0]?.told;
    };
    await m.source.updateSelection(of("ServiceAccount"));
    await waitFor("the end of a", async () => (await rows()) === "default=null");
    expect(await told("a")).toMatch(/^deleted .*: no longer selected by the Fabric$/);
    expect(await told("default")).toMatch(/^added list: /);
    await m.source.updateSelection(of("ConfigMap"));
    await waitFor("its return", async () => (await rows()) === "a=1");
    expect(await told("a")).toMatch(/^added list: /);
    expect(await told("default")).toMatch(/^deleted .*: no longer selected by the Fabric$/);
  });

  test("a heartbeat keeps a device's raw observation for longer and writes nothing else; taken in again it writes nothing", async () => {
    await controlPlane.kubectl(["apply", "--server-side", "-f", "deploy/crds/fabricsync.dev_devicestates.yaml"]);
    const states = `/apis/fabricsync.dev/v1alpha1/namespaces/${namespace.name}/devicestates`;
    await waitFor("DeviceStates to be served", () => controlPlane.request("GET", states));
    const collect = (name: string) =>
      controlPlane.request("POST", states, {
        body: {
          ...{ apiVersion: "fabricsync.dev/v1alpha1", kind: "DeviceState", metadata: { name } },
          spec: { role: "router", interfaces: [{ name: "et1" }] },
        },
      });
    const snapshot = async (device: string) => {
      const [found] = await fixture.sql<{ version: string; observed: string; left: number; row: string }>(
        `SELECT resource_version AS version, observed_at::text AS observed, xmin::text AS row,
                extract(epoch FROM expires_at - observed_at)::integer AS left FROM fabric_sync.device_snapshot WHERE device = $1`,
        [device],
      );
      return found;
    };
    const others = () =>
      fixture.sql(`
        SELECT 'resource' AS of, xmin::text, name FROM fabric_sync.resource WHERE name = 'edge-1'
        UNION ALL SELECT 'event', xmin::text, name FROM fabric_sync.resource_event WHERE name = 'edge-1'
        UNION ALL SELECT 'device', xmin::text, name FROM fabric_sync.device WHERE name = 'edge-1'
        UNION ALL SELECT 'interface', xmin::text, name FROM fabric_sync.device_interface WHERE device = 'edge-1' ORDER BY 1`);
    const devices = { group: "fabricsync.dev", kinds: ["DeviceState"] };

    await collect("edge-1");
    mirror(undefined, {}, devices);
    const first = await waitFor("the first observation", () => snapshot("edge-1"));
    await m.watching("DeviceState");
    // However slow the machine is, the minute in which the row itself is left alone is not over.
    await fixture.sql("UPDATE fabric_sync.resource SET actual_updated = now() + interval '1 day'");
    const before = await others();
    expect(before).toHaveLength(4);
    // What a status says is volatile: the object has a new version and the same content.
    const beat = await controlPlane.request<{ metadata: { resourceVersion: string } }>(
      "PATCH",
      `${states}/edge-1/status`,
      {
        body: { status: { refusedCount: 1 } },
        headers: { "content-type": "application/merge-patch+json" },
      },
    );
    const { resourceVersion } = beat.metadata;
    await waitFor("the heartbeat", async () => (await snapshot("edge-1"))?.version === resourceVersion);
    const kept = await snapshot("edge-1");
    expect(kept).toMatchObject({ left: 1_800 });
    expect(kept?.observed).not.toBe(first.observed);
    expect(await others()).toEqual(before);
    await m.stop();

    // Everything is listed again, the heartbeat with it.
    await fixture.sql("DELETE FROM fabric_sync.cursor");
    mirror(undefined, {}, devices);
    await m.watching("DeviceState");
    await collect("edge-2");
    await waitFor("what came after", () => snapshot("edge-2"));
    expect(m.started).toMatchObject({ watchlist: 1 });
    expect(await snapshot("edge-1")).toEqual(kept);
    expect(await others()).toEqual(before);
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

  test("bookmarks of a silent watch move its age in the views, in status and in what metrics are made of; a broken watch does not", async () => {
    const { url, ca, adminToken } = controlPlane;
    const proxy = await startFaultProxy({ url, ca, token: adminToken });
    try {
      await create("a");
      mirror(proxy.kubeconfig, { silenceMs: 2_000 });
      await becomes("a=1");
      await m.watching("ConfigMap");
      /** Everywhere the same time (ms). */
      const completeAt = async (): Promise<number | null> => {
        const [views] = await fixture.sql<{ kind: string; row: string }>(
          `SELECT k.complete_at::text AS kind, r.actual_complete_at::text AS row
             FROM fabric_sync.kinds k JOIN fabric_sync.resources r USING (fabric_id, api_group, kind) WHERE kind = 'ConfigMap'`,
        );
        const [summary] = await fixture.store.summarise();
        const told = [
          freshnessOf(m.source.statuses())[0]?.completeAt ?? NaN,
          summary?.cursors.find(({ source }) => source === "cluster")?.completeAt ?? NaN,
          Date.parse(views?.kind ?? ""),
          Date.parse(views?.row ?? ""),
        ];
        return new Set(told).size === 1 ? (told[0] ?? null) : null;
      };
      const listed = await waitFor("the list's own time, everywhere", completeAt);
      const { metadata } = (await controlPlane.request("GET", maps)) as { metadata: object };
      proxy.inject(
        `${JSON.stringify({ type: "BOOKMARK", object: { kind: "ConfigMap", apiVersion: "v1", metadata } })}\n`,
      );
      const marked = async (): Promise<boolean> => ((await completeAt()) ?? 0) > listed;
      await waitFor("the bookmark, everywhere", marked);

      proxy.freeze();
      const body = JSON.stringify({ kind: "Status", status: "Failure", code: 503, reason: "ServiceUnavailable" });
      proxy.answer = (path) => (path.startsWith(maps) ? { status: 503, body } : null);
      await waitFor("the broken stream to be noticed", () => m.failures.length >= 2, { timeoutMs: 30_000 });
      const broken = await waitFor("its last time, everywhere", completeAt);
      await waitFor("it to fail again", () => m.failures.length >= 4, { timeoutMs: 30_000 });
      expect(await completeAt()).toBe(broken);
      proxy.answer = () => null;
    } finally {
      await proxy.close();
    }
  }, 90_000);

  test("a database that lost commits while nobody noticed: the next write finds out, and all is taken up again", async () => {
    await loseB(await withB());
    expect(m.status("ConfigMap")?.loss).toBeUndefined();
    await create("c");
    await becomes("a=1 b=1 c=1");
    await waitFor("it to be told", () => m.status("ConfigMap")?.loss?.repaired);
    expect(m.started).toMatchObject({ watchlist: 1, list: 0, watch: 1 });
    expect(await events()).toHaveLength(3);
  });

  test("a database that lost commits and was seen to come back is asked for its cursors at once", async () => {
    await loseB(await withB());
    m.source.storeInterrupted();
    await becomes("a=1 b=1");
    await waitFor("it to be told", () => m.status("ConfigMap")?.loss?.repaired);
    expect(m.started).toMatchObject({ watchlist: 1, list: 0, watch: 1 });
    // Nothing is wrong any more: going on from there is no loss.
    await create("c");
    await becomes("a=1 b=1 c=1");
    expect(m.started.watch).toBe(1);
  });

  test("a database that lost all of a stream's commits is listed into", async () => {
    await withB();
    // At once: between the two a bookmark would find the cursor lost, and list into rows that go afterwards.
    await fixture.sql("WITH cursors AS (DELETE FROM fabric_sync.cursor) DELETE FROM fabric_sync.resource");
    await create("c");
    await becomes("a=1 b=1 c=1");
    await waitFor("it to be told", () => m.status("ConfigMap")?.loss?.repaired);
    expect(m.started).toMatchObject({ watchlist: 2, watch: 0 });
  });
});
