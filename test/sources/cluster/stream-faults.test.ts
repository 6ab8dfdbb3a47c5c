import { normaliseActual } from "../../../src/core/normalise.ts";
import { startFaultProxy } from "./fault-proxy.ts";
import type { Answer, FaultProxy } from "./fault-proxy.ts";
import { controlPlane } from "../../support/shared-control-plane.ts";
import type { TestNamespace } from "../../support/control-plane.ts";
import { waitFor } from "../../support/wait.ts";
import type { StreamSpec } from "../../../src/sources/cluster/selection.ts";
import { watchListQuery } from "../../../src/sources/cluster/stream-requests.ts";
import { STREAM_TIMING } from "../../../src/sources/cluster/timing.ts";
import { MemoryTable } from "./memory-table.ts";
import { crd, startMirror } from "./mirror.ts";
import type { Mirror } from "./mirror.ts";

const SPEC: StreamSpec = {
  ...{ scope: "/v1/configmaps", group: "", version: "v1", kind: "ConfigMap", plural: "configmaps" },
  ...{ namespaced: true, namespace: "", labelSelector: "" },
};

const status = (code: number, reason: string, more: object = {}): string =>
  JSON.stringify({
    kind: "Status",
    apiVersion: "v1",
    status: "Failure",
    code,
    reason,
    message: `${reason} by the proxy`,
    ...more,
  });

describe("a stream through a faulty network", () => {
  let namespace: TestNamespace;
  let proxy: FaultProxy;
  let m: Mirror;
  let maps: string;

  beforeEach(async () => {
    namespace = await controlPlane.createNamespace();
    maps = `/api/v1/namespaces/${namespace.name}/configmaps`;
    const { url, ca, adminToken } = controlPlane;
    proxy = await startFaultProxy({ url, ca, token: adminToken });
    await create("a");
  });
  afterEach(async () => {
    proxy.answer = () => null;
    await m.stop();
    await proxy.close();
    await namespace.remove();
  });

  const create = (name: string) => controlPlane.request("POST", maps, { body: { metadata: { name } } });
  const mirror = (timing: Parameters<typeof startMirror>[0]["timing"] = {}): Mirror =>
    (m = startMirror({
      kubeconfig: proxy.kubeconfig,
      selections: [{ group: "", kinds: ["ConfigMap"], namespaces: [namespace.name] }],
      timing: { ...timing },
    }));
  const watching = async (timing?: Parameters<typeof mirror>[0]): Promise<void> => {
    mirror(timing);
    await m.watching("ConfigMap");
    await waitFor("the first row", () => m.table.names.join() === "a");
  };
  /** Creates an object and waits until it is mirrored: the stream works. */
  const works = async (name: string): Promise<void> => {
    await create(name);
    await waitFor(`${name} to arrive`, () => m.table.row(name));
    await m.watching("ConfigMap");
  };
  const forMaps = (answer: Answer, times: number) => {
    let left = times;
    proxy.answer = (url) => (url.startsWith(maps) && left-- > 0 ? answer : null);
    return () => left < 0;
  };
  const lists = () => m.started.watchlist + m.started.list;

  test("a half-open connection is noticed by its silence and resumed without a list", async () => {
    // Longer than a busy server takes for a list.
    await watching({ silenceMs: 2_000 });
    proxy.freeze();
    await works("b");
    expect(lists()).toBe(1);
  });

  test("bookmarks of a silent watch move the time as of which it is complete; a watch that broke in silence stays where it was", async () => {
    await watching({ silenceMs: 2_000 });
    const completeAt = (): number => m.status("ConfigMap")?.completeAt ?? 0;
    const { writes } = m.table;
    const listed = await waitFor("the list's own time", completeAt);
    // As the server sends one a minute, whatever else happens.
    const { metadata } = (await controlPlane.request("GET", maps)) as { metadata: object };
    const object = { kind: "ConfigMap", apiVersion: "v1", metadata };
    proxy.inject(`${JSON.stringify({ type: "BOOKMARK", object })}\n`);
    await waitFor("the bookmark to be committed", () => completeAt() > listed);
    expect(m.table.writes).toBe(writes);

    proxy.freeze();
    proxy.answer = (url) => (url.startsWith(maps) ? { status: 503, body: status(503, "ServiceUnavailable") } : null);
    // What was on its way before is committed long before the second failure.
    await waitFor("the broken stream to be noticed", () => m.failures.length >= 2, { timeoutMs: 30_000 });
    const broken = completeAt();
    await waitFor("it to fail again", () => m.failures.length >= 4, { timeoutMs: 30_000 });
    expect(completeAt()).toBe(broken);

    proxy.answer = () => null;
    await works("b");
    await waitFor("it to be complete again", () => completeAt() > broken);
    expect(lists()).toBe(1);
  });

  test("a clean end is resumed at once", async () => {
    await watching({ minStreamMs: 0 });
    proxy.end();
    await works("b");
    expect([m.started.watch, lists()]).toEqual([1, 1]);
    // Not all of a cluster's watches at the same moment.
    const seconds = proxy.requests.flatMap((line) => /configmaps.*[?&]timeoutSeconds=(\d+)/.exec(line)?.[1] ?? []);
    expect(seconds).toHaveLength(2);
    for (const each of seconds.map(Number)) expect(each >= 300 && each <= 600).toBe(true);
    expect(
      new Set([0, 0.5, 0.99].map((random) => watchListQuery(SPEC, STREAM_TIMING, () => random)["timeoutSeconds"])).size,
    ).toBe(3);
  });

  test.each(["closed", "reset"] as const)(
    "a connection %s in the middle of a line costs itself, not the line",
    async (how) => {
      await watching();
      proxy.inject('{"type":"ADDED","object":{"kind":"Confi');
      proxy.cut(how);
      await works("b");
      expect(lists()).toBe(1);
      expect(m.table.names).toEqual(["a", "b"]);
    },
  );

  test.each([
    ["a line that is not JSON", "<html>\n", "StreamGarbled"],
    ["an event of an unknown type", '{"type":"RENAMED","object":{}}\n', "StreamGarbled"],
    ["an ERROR event", `{"type":"ERROR","object":${status(500, "InternalError")}}\n`, "KubeInternalError"],
  ])("%s ends the stream, which resumes without a list", async (_, line, reason) => {
    await watching();
    proxy.inject(line);
    await works("b");
    expect(m.failures).toContain(reason);
    expect(lists()).toBe(1);
  });

  test("an ERROR event 410 leads to a list, which finds what was deleted meanwhile", async () => {
    await watching();
    proxy.freeze();
    await controlPlane.request("DELETE", `${maps}/a`);
    proxy.inject(`{"type":"ERROR","object":${status(410, "Expired")}}\n`);
    await works("b");
    // What the list holds comes first, what it lacks is known at its end.
    await waitFor("the end of a", () => m.table.names.join() === "b");
    expect(lists()).toBe(2);
    expect(m.table.deletions[0]?.reason).toContain("not in a complete list");
  });

  test("410 as the answer to a resume leads to a list", async () => {
    await watching({ minStreamMs: 0 });
    const used = forMaps({ status: 410, body: status(410, "Expired") }, 1);
    proxy.end();
    await waitFor("the refusal to be used", used);
    await works("b");
    expect(lists()).toBe(2);
  });

  test.each([
    [401, "Unauthorized", "KubeUnauthorized"],
    [409, "Conflict", "KubeConflict"],
    [500, "InternalError", "KubeInternalError"],
    [503, "ServiceUnavailable", "KubeServiceUnavailable"],
  ])("%i is told, retried, and keeps the rows", async (code, reason, told) => {
    await watching({ minStreamMs: 0 });
    forMaps({ status: code, body: status(code, reason) }, 1_000);
    proxy.end();
    const refused = await waitFor("the status", () => {
      const now = m.status("ConfigMap");
      return now?.reason === told && now;
    });
    expect(refused.state).toBe("retrying");
    expect(m.table.names).toEqual(["a"]);
    proxy.answer = () => null;
    await works("b");
    expect(lists()).toBe(1);
  });

  test("a server that answers for discovery again is asked for every stream that waits for it", async () => {
    const hour = 3_600_000;
    await watching({ discoveryMs: 200, discoveryAloneMs: 200, minStreamMs: 0, retry: { baseMs: hour, capMs: hour } });
    const failed = forMaps({ status: 503, body: status(503, "ServiceUnavailable") }, 3);
    proxy.end();
    await waitFor("the failures", failed);
    await works("b");
    expect(lists()).toBe(1);
  });

  test("404 keeps the rows and is no deletion", async () => {
    await watching({ minStreamMs: 0 });
    forMaps({ status: 404, body: status(404, "NotFound") }, 1_000);
    proxy.end();
    await waitFor("the status", () => m.status("ConfigMap")?.state === "gone");
    expect(m.table.names).toEqual(["a"]);
    expect(m.table.deletions).toEqual([]);
    proxy.answer = () => null;
    await m.watching("ConfigMap");
  });

  test("429 waits as long as the server asks", async () => {
    await watching({ minStreamMs: 0 });
    forMaps({ status: 429, headers: { "retry-after": "1" }, body: status(429, "TooManyRequests") }, 1);
    const begun = performance.now();
    proxy.end();
    await waitFor("the refusal", () => m.failures.includes("KubeTooManyRequests"));
    await works("b");
    expect(performance.now() - begun).toBeGreaterThanOrEqual(1_000);
  });

  test("a server that knows no WatchList is listed in pages, and that is remembered", async () => {
    await Promise.all(Array.from({ length: 7 }, (_, i) => create(`x${i}`)));
    proxy.answer = (url) => (url.includes("sendInitialEvents") ? { status: 422, body: status(422, "Invalid") } : null);
    mirror({ pageSize: 3, minStreamMs: 0 });
    await waitFor("every page", () => m.table.names.length === 8);
    await works("b");
    expect(m.started).toMatchObject({ watchlist: 1, list: 1 });
    expect(proxy.requests.filter((line) => line.includes("limit=3")).length).toBe(3);
    await m.source.syncOnce();
    expect(m.started).toMatchObject({ watchlist: 1, list: 2 });
  });

  test("a token of the next page that expired begins the list anew", async () => {
    await Promise.all(Array.from({ length: 4 }, (_, i) => create(`x${i}`)));
    let expire = 1;
    proxy.answer = (url) => {
      if (url.includes("sendInitialEvents")) return { status: 400, body: status(400, "BadRequest") };
      return url.includes("continue=") && expire-- > 0 ? { status: 410, body: status(410, "Expired") } : null;
    };
    mirror({ pageSize: 2 });
    await waitFor("every object", () => m.table.names.length === 5);
    expect(m.started.list).toBe(2);
  });

  test.each([
    ["the first", /[?&]limit=2$/],
    ["a later", /[?&]continue=/],
  ])(
    "%s page that breaks in the middle concludes nothing of what it, and those after it, would have held",
    async (_, page) => {
      await watching();
      await Promise.all(Array.from({ length: 4 }, (_, i) => create(`x${i}`)));
      await waitFor("every row", () => m.table.names.length === 5);
      await m.stop();
      let breaks = 2;
      proxy.answer = (url) => {
        if (url.includes("sendInitialEvents")) return { status: 400, body: status(400, "BadRequest") };
        if (!url.startsWith(maps) || !page.test(url) || breaks-- <= 0) return null;
        return { status: 200, body: '{"kind":"ConfigMapList","items":[' };
      };
      const { table } = m;
      table.cursors.clear();
      m = startMirror({
        kubeconfig: proxy.kubeconfig,
        table,
        selections: [{ group: "", kinds: ["ConfigMap"], namespaces: [namespace.name] }],
        timing: { pageSize: 2 },
      });
      await works("b");
      await waitFor("the end of the list", () => table.cursors.size === 1);
      expect([table.names.length, table.deletions]).toEqual([6, []]);
      expect(m.started.list).toBe(3);
    },
  );

  test("a stream whose rows wait for the database is not read any further: what comes stays where it came from", async () => {
    await watching();
    const { metadata } = (await controlPlane.request("GET", maps)) as { metadata: { resourceVersion: string } };
    const open = Promise.withResolvers<void>();
    m.table.gate = open.promise;
    const [count, bytes] = [64, 512 * 1024];
    for (let i = 1; i <= count; i++) {
      const resourceVersion = String(BigInt(metadata.resourceVersion) + BigInt(i));
      const named = { name: `big-${i}`, namespace: namespace.name, uid: `uid-${i}`, resourceVersion };
      const object = { kind: "ConfigMap", apiVersion: "v1", metadata: named, data: { text: "x".repeat(bytes) } };
      proxy.inject(`${JSON.stringify({ type: "ADDED", object })}\n`);
    }
    let last = { unread: proxy.unread, at: performance.now() };
    await waitFor("the reading to end", () => {
      if (proxy.unread !== last.unread) last = { unread: proxy.unread, at: performance.now() };
      return m.pump.backlog.items > 0 && performance.now() - last.at > 1_000;
    });
    // A lane holds 2 MiB and what makes it full; the kernel holds some of it, too.
    expect(m.pump.backlog.bytes).toBeLessThan(3 * 1024 * 1024);
    expect(proxy.unread).toBeGreaterThan((count * bytes) / 4);
    open.resolve();
    await waitFor("all of it", () => m.table.names.length === count + 1);
  });

  test("an object that cannot be read costs only itself, and is told", async () => {
    await watching();
    const event = (metadata: object) =>
      `${JSON.stringify({ type: "ADDED", object: { kind: "ConfigMap", apiVersion: "v1", metadata } })}\n`;
    proxy.inject(event({ name: "broken", namespace: namespace.name, labels: { n: 1 } }));
    await works("b");
    expect(m.status("ConfigMap")?.message).toContain("1 objects cannot be read: ConfigMap");
    expect(m.table.names).toEqual(["a", "b"]);
  });

  test("storage that was set back to an older state is listed anew", async () => {
    await watching();
    proxy.inject(
      `{"type":"BOOKMARK","object":{"kind":"ConfigMap","apiVersion":"v1","metadata":{"resourceVersion":"1"}}}\n`,
    );
    await waitFor("the list", () => lists() === 2);
    await works("b");
  });

  test("a broken group costs no other kind", async () => {
    proxy.answer = (url) => {
      if (url === "/apis")
        return {
          status: 200,
          body: JSON.stringify({ kind: "APIGroupList", groups: [group("away.example"), group("apps")] }),
        };
      return url.startsWith("/apis/away.example") ? { status: 503, body: status(503, "ServiceUnavailable") } : null;
    };
    m = startMirror({
      kubeconfig: proxy.kubeconfig,
      selections: [
        { group: "away.example", kinds: ["*"] },
        { group: "apps", kinds: ["Deployment"], namespaces: [namespace.name] },
      ],
    });
    await m.watching("Deployment");
    expect(m.status("*")).toMatchObject({ state: "retrying", reason: "GroupUnavailable" });
  });

  test("discovery that lacks a kind, as of an API server that has just begun, does not make it gone; a 404 of the kind does", async () => {
    const deployments = `/apis/apps/v1/namespaces/${namespace.name}/deployments`;
    const probed = (url: string) => url.startsWith(deployments) && url.includes("limit=1");
    const late = (probe: Answer | null) => {
      const groups = { status: 200, body: JSON.stringify({ kind: "APIGroupList", groups: [] }) };
      proxy.answer = (url) => (url === "/apis" ? groups : probed(url) ? probe : null);
    };
    const start = (table: MemoryTable) => {
      m = startMirror({
        kubeconfig: proxy.kubeconfig,
        selections: [{ group: "apps", kinds: ["Deployment"], namespaces: [namespace.name] }],
        timing: { discoveryMs: 100, discoveryAloneMs: 100, minStreamMs: 0 },
        table,
      });
    };
    const readings = async (more: number) => {
      const read = () => proxy.requests.filter((request) => probed(request.slice("GET ".length))).length;
      const enough = read() + more;
      await waitFor("discovery to be read", () => read() >= enough);
    };
    const states = new Set<string>();
    const seen = () => void states.add(m.status("Deployment")?.state ?? "none");
    start(new MemoryTable());
    await m.watching("Deployment");
    await waitFor("its cursor", () => m.table.cursors.size === 1);
    for (const probe of [
      { status: 503, body: status(503, "ServiceUnavailable") },
      { status: 403, body: status(403, "Forbidden") },
      null,
    ]) {
      late(probe);
      for (let reading = 0; reading < 3; reading++) {
        await readings(1);
        seen();
      }
    }
    expect([...states]).toEqual(["watching"]);
    // The same while it starts: nothing is concluded, and the stream goes on from its cursor when discovery has caught up.
    await m.stop();
    late({ status: 503, body: status(503, "ServiceUnavailable") });
    start(new MemoryTable(m.table));
    await readings(2);
    expect(m.status("Deployment")).toMatchObject({ state: "retrying", reason: "GroupUnavailable" });
    proxy.answer = () => null;
    await m.watching("Deployment");
    expect(m.started).toEqual({ watchlist: 0, list: 0, watch: 1 });
    late({ status: 404, body: status(404, "NotFound") });
    await waitFor("the kind to be gone", () => m.status("Deployment")?.state === "gone");
    proxy.answer = () => null;
    await m.watching("Deployment");
  });

  test("a kind that may not be listed and whose CRD is seen to go ends with it", async () => {
    const name = `${namespace.name}.faults.example`;
    const crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    await controlPlane.request("POST", crds, { body: crd(name, "Widget") });
    const widgets = `/apis/${name}/v1/widgets`;
    await waitFor("the kind", () => controlPlane.request("GET", widgets));
    m = startMirror({ kubeconfig: proxy.kubeconfig, selections: [{ group: name, kinds: ["Widget"] }] });
    await m.watching("Widget");
    await waitFor("CRDs to be followed", () => m.source.followsCrds);
    const body = { apiVersion: `${name}/v1`, kind: "Widget", metadata: { name: "w", namespace: namespace.name } };
    await m.pump.lane("test").offer(normaliseActual(body, { fabricId: "f", writePath: "watch", observedAt: 1 }));
    await waitFor("the row", () => m.table.row("w"));
    proxy.answer = (url) => (url.startsWith(widgets) ? { status: 403, body: status(403, "Forbidden") } : null);
    // In order: the watch on CRDs goes on where it was.
    proxy.end();
    await waitFor("the refusal", () => m.status("Widget")?.state === "forbidden");
    await controlPlane.request("DELETE", `${crds}/widgets.${name}`);
    await waitFor("the end of the row", () => m.table.row("w") === undefined);
    expect(m.table.deletions.map(({ reason }) => reason)).toEqual(["its CustomResourceDefinition was deleted"]);
  });
});

function group(name: string): object {
  const version = { groupVersion: `${name}/v1`, version: "v1" };
  return { name, versions: [version], preferredVersion: version };
}
