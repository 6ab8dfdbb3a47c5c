import { join } from "node:path";
import { builtProgram } from "../support/bundle.ts";
import { applyOperatorManifests, OPERATOR_ACCOUNT, OPERATOR_NAMESPACE } from "../support/installation.ts";
import { migrate, startOperator } from "../support/operator.ts";
import type { Operator } from "../support/operator.ts";
import { createTestDatabase, startPostgres, withClient } from "../support/postgres.ts";
import type { OwnPostgresServer, TestDatabase } from "../support/postgres.ts";
import { controlPlane } from "../support/shared-control-plane.ts";
import type { TestNamespace } from "../support/control-plane.ts";
import { waitFor } from "../support/wait.ts";
import { createWorkspace } from "../support/workspace.ts";
import type { Workspace } from "../support/workspace.ts";
import { createPool } from "../../src/store/pool.ts";
import { createStore } from "../../src/store/store.ts";
import { actualVpc, POLICY } from "../store/fixture.ts";
import { fabricSync } from "./support/program.ts";

let workspace: Workspace;
let program: string;
let kubeconfig: string;
let namespace: TestNamespace;
let count = 0;

beforeAll(async () => {
  await applyOperatorManifests(controlPlane);
  [workspace, program, namespace, { path: kubeconfig }] = await Promise.all([
    createWorkspace("operator"),
    builtProgram(),
    controlPlane.createNamespace("operator"),
    controlPlane.serviceAccountKubeconfig(OPERATOR_NAMESPACE, OPERATOR_ACCOUNT),
  ]);
  // The same rights as in the operator's own namespace, for leases that no other suite shares.
  const rights = await controlPlane.kubectl(["kustomize", join(import.meta.dirname, "../../deploy/base")]);
  const lease = rights.split(/^---$/m).filter((text) => /^kind: Role(Binding)?$/m.test(text) && text.includes("lease"));
  const here = lease.map((text) => text.replace(/^ {2}namespace: .*$/m, `  namespace: ${namespace.name}`));
  await controlPlane.kubectl(["apply", "-f", "-"], here.join("---\n"));
});

afterAll(async () => {
  await workspace.dispose();
  await namespace.remove();
});

function start(databaseUrl: string, env: Record<string, string> = {}): Promise<Operator> {
  count += 1;
  return startOperator(workspace, {
    bundle: program,
    name: `operator-${count}`,
    databaseUrl,
    kubeconfig,
    namespaces: [namespace.name],
    leaseNamespace: namespace.name,
    cacheDirectory: join(workspace.directory, `cache-${count}`),
    env,
  });
}

/** The environment of a command that uses the same cluster and database. */
function environmentOf(databaseUrl: string): Record<string, string> {
  return {
    DATABASE_URL: databaseUrl,
    KUBECONFIG: kubeconfig,
    FABRIC_SYNC_NAMESPACES: namespace.name,
    FABRIC_SYNC_CACHE_DIR: join(workspace.directory, "cache"),
    POD_NAMESPACE: namespace.name,
    POD_NAME: "command",
  };
}

/** Read to its end: an answer that is not read holds its connection. */
async function answerOf(operator: Operator, path: string): Promise<{ status: number; text: string }> {
  const answer = await operator.get(path);
  return { status: answer.status, text: await answer.text() };
}
const ready = (operator: Operator) => answerOf(operator, "/readyz");

async function holder(): Promise<string> {
  return controlPlane.kubectl([
    "-n",
    namespace.name,
    "get",
    "lease",
    "fabric-sync",
    "-o",
    "jsonpath={.spec.holderIdentity}",
  ]);
}

async function applyFabric(name: string, spec: object): Promise<void> {
  const fabric = {
    apiVersion: "fabricsync.dev/v1alpha1",
    kind: "Fabric",
    metadata: { name, namespace: namespace.name },
    spec,
  };
  await controlPlane.kubectl(["apply", "-f", "-"], JSON.stringify(fabric));
}

/** A webhook reaches a replica that stands by: it tells good from bad, and the leader takes what it left. */
async function pushToStandby(standby: Operator, databaseUrl: string): Promise<void> {
  const secretRef = { name: "hook" };
  const secret = { apiVersion: "v1", kind: "Secret", metadata: secretRef, stringData: { token: "a-shared-secret" } };
  await controlPlane.kubectl(["-n", namespace.name, "apply", "-f", "-"], JSON.stringify(secret));
  const git = { url: "https://127.0.0.1:1/fabric.git", timeout: "2s" };
  const resources = [{ group: "nothing.example.com", kinds: ["*"] }];
  await applyFabric("hooked", { git, resources, webhook: { type: "gitlab", secretRef } });
  const push = async (token: string): Promise<number> => {
    const answer = await fetch(`${standby.url}/webhooks/${namespace.name}/hooked`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-gitlab-event": "Push Hook", "x-gitlab-token": token },
      body: "{}",
    });
    await answer.arrayBuffer();
    return answer.status;
  };
  await waitFor("the standby to take it", async () => (await push("a-shared-secret")) === 202);
  expect(await push("another")).toBe(401);
  expect(await push("a-shared-secret")).toBe(200);
  await waitFor("the leader to be told", () =>
    withClient(databaseUrl, async (client) => {
      const { rows } = await client.query<{ provider: string }>("SELECT provider FROM fabric_sync.webhook_delivery");
      return rows.length === 1 && rows[0]?.provider === "gitlab";
    }),
  );
}

async function removeFabrics(): Promise<void> {
  const path = `/apis/fabricsync.dev/v1alpha1/namespaces/${namespace.name}/fabrics`;
  const { items } = await controlPlane.request<{ items: { metadata: { name: string } }[] }>("GET", path);
  for (const { metadata } of items) {
    const patch = '{"metadata":{"finalizers":null}}';
    await controlPlane.kubectl(["-n", namespace.name, "patch", "fabric", metadata.name, "--type=merge", "-p", patch]);
    await controlPlane.kubectl(["-n", namespace.name, "delete", "fabric", metadata.name, "--ignore-not-found"]);
  }
}

describe("an operator whose database comes late", () => {
  let server: OwnPostgresServer;
  let database: TestDatabase;
  let operator: Operator;

  beforeAll(async () => {
    server = await startPostgres();
    database = await server.createDatabase();
    await server.halt();
    operator = await start(database.url);
  });
  afterAll(() => server.stop());

  test("waits for it alive, not ready, and says so; then for its migration; then is ready", async () => {
    await waitFor("probes", async () => (await answerOf(operator, "/livez")).status === 200);
    await waitFor("the reason", async () => (await ready(operator)).text.includes("ECONNREFUSED"));
    expect((await ready(operator)).status).toBe(503);
    await waitFor("the log", async () =>
      (await operator.process.logTail(50)).includes('"message":"waiting for the database"'),
    );

    await server.resume();
    await waitFor("the migration to be missed", async () =>
      (await ready(operator)).text.includes("run fabric-sync db migrate"),
    );
    await migrate(database.url, program);
    await operator.ready();
    expect(JSON.parse((await ready(operator)).text)).toMatchObject({ ok: true });
  });

  test("ends with 0 at SIGTERM also while the database is away, and gives its lease back", async () => {
    expect(await holder()).toBe("operator-1");
    await server.halt();
    await operator.process.stop("SIGTERM");
    expect(await operator.process.ended).toEqual({ code: 0, signal: null });
    expect(await holder()).toBe("");
  });
});

describe("on a database that is there", () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterEach(removeFabrics);
  afterAll(() => database.drop());

  test("the second replica stands by, ready, and takes over when the first ends", async () => {
    const first = await start(database.url);
    await first.ready();
    const second = await start(database.url);
    await second.ready();
    expect((await ready(second)).text).toContain("standing by");
    await pushToStandby(second, database.url);
    await first.process.stop("SIGTERM");
    expect(await first.process.ended).toEqual({ code: 0, signal: null });
    await waitFor("the second to lead", async () => (await ready(second)).text.includes("listed and watched"));
    expect(await holder()).toBe("operator-3");
    await second.process.stop("SIGTERM");
  });

  test("sync --once refuses while an operator leads, and says who: 2", async () => {
    const operator = await start(database.url);
    await operator.ready();
    await waitFor("the lease", async () => (await holder()) !== "");
    const { code, stdout, stderr } = await fabricSync(["sync", "--once"], environmentOf(database.url));
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/operator-\d.*\(LeaseHeld\)\n$/);
    await operator.process.stop("SIGTERM");
  });

  test("sync --once ends by its outcome", async () => {
    const environment = environmentOf(database.url);
    expect(await fabricSync(["sync", "--once"], environment)).toMatchObject({
      code: 0,
      stdout: "There is no Fabric.\n",
    });
    const missing = await fabricSync(["sync", "--once", "--fabric", `${namespace.name}/none`], environment);
    expect([missing.code, missing.stdout]).toEqual([2, ""]);
    expect(missing.stderr).toContain("(FabricNotFound)");

    const resources = [{ group: "nothing.example.com", kinds: ["*"] }];
    await applyFabric("well", { resources });
    const well = await fabricSync(["sync", "--once", "--json"], environment);
    expect(well.stderr).toBe("");
    expect(JSON.parse(well.stdout)).toEqual([expect.objectContaining({ name: "well", outcome: "well" })]);
    expect(well.code).toBe(0);

    // Nobody listens on port 1: the cluster's side is taken in, Git's is not.
    await applyFabric("half", { resources, git: { url: "https://127.0.0.1:1/fabric.git", timeout: "2s" } });
    const half = await fabricSync(["sync", "--once", "--timeout", "20"], environment);
    expect(half.code).toBe(1);
    expect(half.stdout).toMatch(
      /^FABRIC +OUTCOME +REASON\n.*\/half +partial +\w+\n {4}\S.*\n.*\/well +well +Succeeded\n/,
    );
  });

  test("tells a DeviceState what was taken in and what was refused, once for each content, with the rights that are shipped", async () => {
    interface Answered {
      metadata: { resourceVersion: string };
      status?: { refused: unknown[]; taken: Record<string, number>; conditions: Record<string, unknown>[] };
    }
    const folder = `/apis/fabricsync.dev/v1alpha1/namespaces/${namespace.name}/devicestates`;
    const path = `${folder}/edge-1`;
    const apply = (interfaces: readonly object[], name = "edge-1") =>
      controlPlane.kubectl(
        ["-n", namespace.name, "apply", "--server-side", "-f", "-"],
        JSON.stringify({
          apiVersion: "fabricsync.dev/v1alpha1",
          kind: "DeviceState",
          metadata: { name },
          spec: { role: "router", interfaces },
        }),
      );
    const answered = async (reason: string, name = "edge-1"): Promise<Answered> => {
      let found: Answered | undefined;
      await waitFor(
        `the answer ${reason}`,
        async () => {
          found = await controlPlane.request<Answered>("GET", `${folder}/${name}`);
          return found.status?.conditions[0]?.["reason"] === reason;
        },
        { timeoutMs: 60_000 },
      );
      return found as Answered;
    };
    const history = () =>
      withClient(database.url, async (client) => {
        const { rows } = await client.query<{ events: number }>(
          "SELECT count(*)::integer AS events FROM fabric_sync.resource_event WHERE kind = 'DeviceState' AND name = 'edge-1'",
        );
        return rows[0]?.events;
      });
    await apply([{ name: "et1", mtu: 9100 }, { name: "et2", mtu: "much" }, { mtu: 1 }]);
    await applyFabric("devices", {
      resources: [{ group: "fabricsync.dev", kinds: ["DeviceState"], namespaces: [namespace.name] }],
    });
    const operator = await start(database.url);
    await operator.ready();
    const first = await answered("SomeRefused");
    expect(first.status).toMatchObject({
      observedGeneration: 1,
      refusedCount: 2,
      refused: [
        { path: "/spec/interfaces/1", reason: "mtu is not a whole number" },
        { path: "/spec/interfaces/2", reason: expect.any(String) as string },
      ],
      conditions: [{ type: "TakenIn", status: "False", observedGeneration: 1 }],
    });
    expect(first.status?.taken).toMatchObject({ interfaces: 1, routes: 0 });

    await apply([
      { name: "et1", mtu: 9100 },
      { name: "et2", mtu: 1500 },
    ]);
    const second = await answered("AllTakenIn");
    expect(second.status).toMatchObject({ observedGeneration: 2, refused: [], taken: { interfaces: 2 } });
    await operator.process.stop("SIGTERM");
    expect(await operator.process.ended).toEqual({ code: 0, signal: null });

    // Another process says the same again, which is no write; and no answer became history. It answers in the order of names.
    const again = await start(database.url);
    await again.ready();
    await apply([{ name: "et1" }], "edge-2");
    await answered("AllTakenIn", "edge-2");
    expect(await controlPlane.request<Answered>("GET", path)).toEqual(second);
    expect(await history()).toBe(2);
    await again.process.stop("SIGTERM");
    await controlPlane.kubectl(["-n", namespace.name, "delete", "devicestate", "edge-1", "edge-2"]);
  }, 120_000);

  test("a change of the volatile paths makes no history of what is there, and what it says holds from then on", async () => {
    const folder = `/apis/fabricsync.dev/v1alpha1/namespaces/${namespace.name}`;
    const apply = async (name: string, count: number, mtu = 9100): Promise<void> => {
      const body = {
        apiVersion: "fabricsync.dev/v1alpha1",
        kind: "DeviceState",
        metadata: { name, annotations: { "example.com/seen-at": String(count) } },
        spec: { role: "router", interfaces: [{ name: "et1", mtu, counters: { inb: count } }] },
      };
      await controlPlane.kubectl(["-n", namespace.name, "apply", "--server-side", "-f", "-"], JSON.stringify(body));
    };
    const events = (name: string) =>
      withClient(database.url, async (client) => {
        const text =
          "SELECT event_type AS type FROM fabric_sync.resource_event WHERE kind = 'DeviceState' AND name = $1 ORDER BY xid, seq";
        return (await client.query<{ type: string }>(text, [name])).rows.map(({ type }) => type);
      });
    let marks = 0;
    /** All that was applied before is taken in: the stream has an order. */
    const takenIn = async (): Promise<void> => {
      const name = `mark-${(marks += 1)}`;
      await apply(name, 0);
      await waitFor(name, async () => (await events(name)).length === 1, { timeoutMs: 60_000 });
    };
    const rowOf = (name: string) =>
      withClient(database.url, async (client) => {
        const text = "SELECT xmin::text AS version FROM fabric_sync.resource WHERE kind = 'DeviceState' AND name = $1";
        return (await client.query<{ version: string }>(text, [name])).rows[0]?.version;
      });
    const names = async (volatilePaths: readonly object[] | null): Promise<void> => {
      const patch = JSON.stringify({ spec: { cluster: { volatilePaths } } });
      await controlPlane.kubectl(["-n", namespace.name, "patch", "fabric", "noise", "--type=merge", "-p", patch]);
      await waitFor(
        "the paths to be in force",
        async () => {
          const { metadata, status } = await controlPlane.request<{
            metadata: { generation: number };
            status: { observedGeneration: number };
          }>("GET", `${folder}/fabrics/noise`);
          return metadata.generation === status.observedGeneration;
        },
        { timeoutMs: 60_000 },
      );
    };

    await apply("beats", 1);
    await apply("stands", 1);
    await applyFabric("noise", {
      resources: [{ group: "fabricsync.dev", kinds: ["DeviceState"], namespaces: [namespace.name] }],
    });
    const operator = await start(database.url);
    await operator.ready();
    await takenIn();
    await apply("beats", 2);
    await takenIn();
    expect(await events("beats")).toEqual(["added", "modified"]);
    const stands = await rowOf("stands");

    const target = { group: "fabricsync.dev", kind: "DeviceState" };
    await names([
      { target, paths: ["/spec/interfaces/*/counters", "/metadata/annotations/example.com~1seen-at"] },
      { target, paths: ["/status/never"], volatile: false },
    ]);
    await waitFor("what is taken back in vain to be named", async () =>
      (
        await controlPlane.kubectl(["-n", namespace.name, "get", "fabric", "noise", "-o", "jsonpath={.status}"])
      ).includes("/status/never (DeviceState of fabricsync.dev)"),
    );
    for (const count of [3, 4, 5]) await apply("beats", count);
    await takenIn();
    expect(await events("beats")).toEqual(["added", "modified"]);
    const verified = await fabricSync(["verify", `${namespace.name}/noise`], environmentOf(database.url));
    expect(verified).toMatchObject({ code: 0, stderr: "" });
    await apply("beats", 6, 1500);
    await takenIn();
    expect(await events("beats")).toEqual(["added", "modified", "modified"]);

    await names(null);
    await takenIn();
    expect([await events("beats"), await events("stands"), await rowOf("stands")]).toEqual([
      ["added", "modified", "modified"],
      ["added"],
      stands,
    ]);
    await apply("beats", 7, 1500);
    await takenIn();
    expect(await events("beats")).toHaveLength(4);
    await operator.process.stop("SIGTERM");
    await controlPlane.kubectl(["-n", namespace.name, "delete", "devicestates", "--all"]);
  }, 180_000);

  test("ends with 2 and says why when its address is taken", async () => {
    const operator = await start(database.url);
    await operator.ready();
    const { host } = new URL(operator.url);
    const second = await start(database.url, { FABRIC_SYNC_LISTEN: host });
    expect(await second.process.ended).toEqual({ code: 2, signal: null });
    expect(await second.process.logTail()).toMatch(
      new RegExp(`fabric-sync: cannot listen on ${host}: .*\\(ListenFailed\\)`),
    );
    await operator.process.stop("SIGTERM");
  });

  test("ends with 2 on a database that is newer than it", async () => {
    const newer = await createTestDatabase();
    await withClient(newer.url, (client) =>
      client.query(
        `INSERT INTO fabric_sync.schema_migration
           SELECT (jsonb_populate_record(m, jsonb_build_object('version', version + 1, 'name', '9999_future'))).*
             FROM fabric_sync.schema_migration m ORDER BY version DESC LIMIT 1`,
      ),
    );
    const operator = await start(newer.url);
    expect(await operator.process.ended).toEqual({ code: 2, signal: null });
    expect(await operator.process.logTail()).toMatch(/fabric-sync: .*newer.*\(DatabaseNewer\)/);
    await newer.drop();
  });

  test("dead-letter retry judges by the Fabric of the cluster; 1 while the database refuses again", async () => {
    await applyFabric("refused", { resources: [{ group: "nothing.example.com", kinds: ["*"] }] });
    const path = `/apis/fabricsync.dev/v1alpha1/namespaces/${namespace.name}/fabrics/refused`;
    const { metadata } = await controlPlane.request<{ metadata: { uid: string } }>("GET", path);
    const pool = createPool({ connection: { connectionString: database.url }, onConnectionError: () => undefined });
    const store = createStore(pool);
    const { id } = await store.registerFabric({ namespace: namespace.name, name: "refused", uid: metadata.uid });
    const fence = await store.acquireFence(id, "test");
    // A NUL is valid in Kubernetes and in no column of Postgres.
    const observation = actualVpc({ fabricId: id }, "one", { rv: "1" }, { spec: { text: "a\u0000b" } });
    await store.apply({ fence, policy: POLICY, observations: [observation], cursors: [] });

    const retry = ["dead-letter", "retry", `${namespace.name}/refused`];
    const { code, stdout } = await fabricSync(retry, environmentOf(database.url));
    expect([code, stdout]).toEqual([1, "0 observations taken in, 1 refused again.\n"]);
    const [letter] = await store.listDeadLetters({ fabricId: id });
    expect(letter?.attempts).toBe(2);
    await pool.end();
  });

  test("a question that hangs ends at the first signal: 2", async () => {
    await withClient(database.url, async (client) => {
      await client.query("BEGIN; LOCK TABLE fabric_sync.fabric IN ACCESS EXCLUSIVE MODE");
      const asking = await workspace.spawn("asking", process.execPath, [program, "status"], {
        env: { DATABASE_URL: database.url },
      });
      await waitFor("the wait", async () => {
        const { rows } = await client.query(
          "SELECT FROM pg_locks WHERE relation = 'fabric_sync.fabric'::regclass AND NOT granted",
        );
        return rows.length > 0;
      });
      asking.kill("SIGINT");
      expect(await asking.ended).toEqual({ code: 2, signal: null });
      expect(await asking.logTail()).toContain("interrupted by SIGINT (Interrupted)");
    });
  });

  test("a command that waits ends at the second signal at once, and tells it by its code", async () => {
    await withClient(database.url, async (client) => {
      // What db migrate takes first.
      await client.query("BEGIN; SELECT pg_advisory_xact_lock(1717658227)");
      const waiting = await workspace.spawn("waiting", process.execPath, [program, "db", "migrate"], {
        env: { DATABASE_URL: database.url },
      });
      await waitFor("the wait", async () => {
        const { rows } = await client.query("SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted");
        return rows.length > 0;
      });
      waiting.kill("SIGTERM");
      await waitFor("the first to be heard", async () => (await waiting.logTail()).includes("interrupted by SIGTERM"));
      waiting.kill("SIGTERM");
      expect(await waiting.ended).toEqual({ code: 143, signal: null });
    });
  });
});
