import type { Pool } from "pg";
import { createServer, connect, type AddressInfo, type Socket } from "node:net";
import { createPool } from "../../src/store/pool.ts";
import { createStore } from "../../src/store/store.ts";
import { inTransaction } from "../../src/store/transaction.ts";
import { waitFor } from "../support/wait.ts";
import { actualVpc, clusterCursor, openStore, POLICY, type StoreFixture } from "./fixture.ts";

describe("when Postgres fails", () => {
  let at: StoreFixture;
  beforeEach(async () => {
    at = await openStore();
  });
  afterEach(async () => {
    await at[Symbol.asyncDispose]();
  });

  /** Fault injection: a trigger of the real server that raises `sqlstate`, or runs `action`, on the first `times` rows. */
  async function injectFault(times: number, action: string): Promise<void> {
    await at.sql("CREATE SEQUENCE public.faults");
    await at.sql(
      `CREATE FUNCTION public.fault() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN IF nextval('public.faults') <= ${times} THEN ${action}; END IF; RETURN new; END $$`,
    );
    await at.sql("CREATE TRIGGER fault BEFORE INSERT ON fabric_sync.resource FOR EACH ROW EXECUTE FUNCTION fault()");
  }
  const raise = (sqlstate: string): string => `RAISE EXCEPTION 'injected' USING ERRCODE = '${sqlstate}'`;

  const rowsAndEvents = async (): Promise<unknown> =>
    (
      await at.sql(
        "SELECT (SELECT count(*)::int FROM fabric_sync.resource) AS rows, count(*)::int AS events FROM fabric_sync.resource_event",
      )
    )[0];

  test.each(["40001", "40P01", "55P03", "57014", "57P01", "57P02", "57P03", "08006", "53300", "25006", "26000"])(
    "%s (injected): the whole closure is repeated, and nothing is there twice",
    async (sqlstate) => {
      await injectFault(2, raise(sqlstate));
      const result = await at.apply([actualVpc(at, "vpc-1", { rv: "10" })], { cursors: [clusterCursor("10")] });
      expect(result.changed).toBe(1);
      // A named statement that is not there is done without its name at once.
      expect(at.retries).toEqual(sqlstate === "26000" ? [sqlstate] : [sqlstate, sqlstate]);
      expect(await rowsAndEvents()).toEqual({ rows: 1, events: 1 });
    },
  );

  test.each([
    ["40001", "retry", "StoreConflict"],
    ["53100", "wait", "StoreExhausted"],
    ["53200", "wait", "StoreExhausted"],
    ["42501", "stall", "StoreAccessDenied"],
    ["42P01", "fatal", "StoreSchemaMismatch"],
    ["XX000", "retry", "StoreError"],
  ])("%s (injected) for good: the caller is told policy %s and code %s; nothing is written", async (...expected) => {
    const [sqlstate, policy, code] = expected;
    await injectFault(1_000, raise(sqlstate));
    const failing = at.apply([actualVpc(at, "vpc-1", { rv: "10" })], { cursors: [clusterCursor("10")] });
    await expect(failing).rejects.toMatchObject({ sqlstate, policy, code });
    expect(await rowsAndEvents()).toEqual({ rows: 0, events: 0 });
    expect(await at.store.readCursors(at.fabricId)).toEqual([]);
    // Conflicts are repeated six times in all, what only somebody else can end is not repeated at all.
    expect(at.retries).toHaveLength(policy === "retry" ? 5 : 0);
  });

  test("a transaction whose BEGIN is refused writes nothing, whatever its first statement is", async () => {
    // As a cancellation that arrives in that very moment: the session lives on, with no transaction.
    const client = await at.pool.connect();
    const { query } = client;
    const refusesBegin = (...[asked, ...more]: [string | { readonly text: string }, ...unknown[]]): unknown => {
      const isBegin = typeof asked !== "string" && asked.text.startsWith("BEGIN");
      return Reflect.apply(query, client, [isBegin ? "SELECT 1/0" : asked, ...more]);
    };
    Object.assign(client, { query: refusesBegin });
    const pool: Pool = Object.create(at.pool, { connect: { value: () => Promise.resolve(client) } });
    await at.sql("CREATE TABLE public.written (id integer)");
    const writing = inTransaction(pool, (sql) => sql.rows("INSERT INTO public.written VALUES ($1)", [1]));
    await expect(writing).rejects.toMatchObject({ sqlstate: "22012" });
    expect(await at.sql("SELECT FROM public.written")).toEqual([]);
  });

  test("a backend that is killed in the middle of the write costs one repetition", async () => {
    await injectFault(1, "PERFORM pg_terminate_backend(pg_backend_pid())");
    const result = await at.apply([actualVpc(at, "vpc-1", { rv: "10" })], { cursors: [clusterCursor("10")] });
    expect(result.changed).toBe(1);
    expect(at.retries).toHaveLength(1);
    expect(await rowsAndEvents()).toEqual({ rows: 1, events: 1 });
  });

  test("a database that is read-only for a while refuses with 25006; the write goes through once it is not", async () => {
    const failover = `ALTER DATABASE "${at.database.name}" SET default_transaction_read_only`;
    await at.sql(`${failover} = on`);
    await dropIdleConnections(at);
    const writing = at.apply([actualVpc(at, "vpc-1", { rv: "10" })]);
    await waitFor("the first refusal", () => at.retries.includes("25006"));
    const admin = await at.pool.connect();
    await admin.query("SET default_transaction_read_only = off");
    await admin.query(`${failover} = off`);
    admin.release(true);
    expect((await writing).changed).toBe(1);
  });

  test("a role out of connections (53300) is waited for", async () => {
    await at.sql("CREATE ROLE narrow LOGIN PASSWORD 'narrow' CONNECTION LIMIT 1");
    try {
      const url = new URL(at.database.url);
      url.username = "narrow";
      url.password = "narrow";
      await at.sql(
        "GRANT USAGE ON SCHEMA fabric_sync TO narrow; GRANT ALL ON ALL TABLES IN SCHEMA fabric_sync TO narrow",
      );
      const retries: string[] = [];
      const pool = createPool({ connection: { connectionString: url.toString() }, onConnectionError: () => undefined });
      const store = createStore(pool, { onRetry: (sqlstate) => retries.push(sqlstate) });
      const first = await pool.connect();
      const listing = store.listFabrics();
      await waitFor("a refused connection", () => retries.includes("53300"));
      first.release();
      expect(await listing).toHaveLength(1);
      await pool.end();
    } finally {
      await at.sql("DROP OWNED BY narrow; DROP ROLE narrow");
    }
  });

  test.each([
    ["a database that is not there", (url: URL) => void (url.pathname = "/nowhere"), "3D000", "stall"],
    ["a wrong password", (url: URL) => void (url.password = "wrong"), "28P01", "stall"],
    ["a port where nobody listens", (url: URL) => void (url.port = "1"), "ECONNREFUSED", "retry"],
  ])("%s is told with its code and policy", async (_, change, sqlstate, policy) => {
    const url = new URL(at.database.url);
    change(url);
    const pool = createPool({ connection: { connectionString: url.toString() }, onConnectionError: () => undefined });
    const failure = createStore(pool).listFabrics();
    await expect(failure).rejects.toMatchObject({ sqlstate, policy });
    await pool.end();
  });

  test("a COMMIT whose answer was lost is repeated without a second effect", async () => {
    const proxy = await startCommitCuttingProxy(Number(new URL(at.database.url).port));
    const url = new URL(at.database.url);
    url.port = String(proxy.port);
    const retries: string[] = [];
    const pool = createPool({ connection: { connectionString: url.toString() }, onConnectionError: () => undefined });
    const store = createStore(pool, { onRetry: (sqlstate) => retries.push(sqlstate) });
    const batch = {
      fence: at.fence,
      policy: POLICY,
      observations: [actualVpc(at, "vpc-1", { rv: "10" })],
      cursors: [clusterCursor("10")],
    };
    const result = await store.apply(batch);
    expect(proxy.cut()).toBe(1);
    expect(retries).toHaveLength(1);
    // The first attempt had been committed: the second finds it so.
    expect(result).toMatchObject({ observations: 1, unchanged: 1 });
    expect(await rowsAndEvents()).toEqual({ rows: 1, events: 1 });
    expect(await store.readCursors(at.fabricId)).toEqual([clusterCursor("10")]);
    await pool.end();
    await proxy.stop();
  });

  test("nothing is asked of the session: a connection that is reset between transactions serves as well", async () => {
    // What a pooler in transaction mode does to a session, at its worst.
    at.pool.on("release", (_error, client) => {
      client.query("DISCARD ALL").catch(() => undefined);
    });
    for (let rv = 10; rv < 15; rv += 1) {
      const result = await at.apply([actualVpc(at, "vpc-1", { rv: String(rv) }, { spec: { rv } })]);
      expect(result.changed).toBe(1);
    }
    expect(at.retries).toEqual([]);
  });

  test("a session that ends in the moment in which it began fails its first statement, and nothing else", async () => {
    const message = (type: string, ...parts: (string | number[])[]): Buffer => {
      const body = Buffer.concat(parts.map((part) => Buffer.from(part as string)));
      const head = Buffer.alloc(5);
      head.write(type);
      head.writeInt32BE(4 + body.length, 1);
      return Buffer.concat([head, body]);
    };
    // Accepts whoever comes, and says in the same breath that it shuts down: one chunk, which a real server sends by chance.
    const welcome = [message("R", [0, 0, 0, 0]), message("Z", "I")];
    const farewell = message("E", "SFATAL\0VFATAL\0C57P01\0Mterminating connection\0\0");
    const server = createServer((socket) => {
      socket.once("data", () => socket.end(Buffer.concat([...welcome, farewell])));
      socket.on("error", () => socket.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const pool = createPool({
      connection: { host: "127.0.0.1", port, user: "u", database: "d" },
      onConnectionError: () => undefined,
    });
    const failing = inTransaction(pool, (sql) => sql.rows("SELECT 1"));
    await expect(failing).rejects.toMatchObject({ policy: "retry", dropConnection: true });
    await pool.end();
    await new Promise((resolve) => server.close(resolve));
  });

  test("a stopped program does not wait for its next attempt", async () => {
    await injectFault(1_000, raise("40001"));
    const stop = new AbortController();
    const store = createStore(at.pool, { signal: stop.signal, onRetry: () => stop.abort() });
    const observations = [actualVpc(at, "vpc-1", { rv: "10" })];
    const failing = store.apply({ fence: at.fence, policy: POLICY, observations, cursors: [] });
    await expect(failing).rejects.toMatchObject({ sqlstate: "40001" });
  });
});

/** Connections keep the settings that they began with. */
async function dropIdleConnections(at: StoreFixture): Promise<void> {
  const clients = await Promise.all(Array.from({ length: at.pool.idleCount }, () => at.pool.connect()));
  for (const client of clients) client.release(true);
}

/**
 * A fault-injecting proxy: the first COMMIT reaches the server, its answer never the client. The connection is reset once the server has
 * answered, so that the COMMIT is known to have worked.
 */
async function startCommitCuttingProxy(serverPort: number) {
  const sockets = new Set<Socket>();
  let cuts = 0;
  const server = createServer((client) => {
    const upstream = connect({ host: "127.0.0.1", port: serverPort });
    sockets.add(client).add(upstream);
    let cutting = false;
    client.on("data", (chunk) => {
      if (cuts === 0 && chunk.includes("COMMIT\0")) {
        cuts += 1;
        cutting = true;
      }
      upstream.write(chunk);
    });
    upstream.on("data", (chunk) => {
      if (cutting) client.resetAndDestroy();
      else client.write(chunk);
    });
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    cut: () => cuts,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
