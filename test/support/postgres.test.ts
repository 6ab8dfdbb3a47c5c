import { Client } from "pg";
import { createTestDatabase, startPostgres, withClient } from "./postgres.ts";
import { waitFor } from "./wait.ts";

describe("createTestDatabase", () => {
  it("gives each caller a database of its own", async () => {
    const [one, two] = await Promise.all([createTestDatabase(), createTestDatabase()]);
    await withClient(one.url, (client) => client.query("CREATE TABLE only_here ()"));
    const seen = await withClient(two.url, (client) => client.query("SELECT to_regclass('only_here') AS found"));
    expect(seen.rows).toEqual([{ found: null }]);
    await Promise.all([one.drop(), two.drop()]);
  });

  it("drops a database that somebody is connected to", async () => {
    const database = await createTestDatabase({ empty: true });
    const client = new Client({ connectionString: database.url });
    const lost = new Promise((resolve) => client.on("error", resolve));
    await client.connect();
    await database.drop();
    await expect(lost).resolves.toMatchObject({ code: "57P01" });
    await expect(withClient(database.url, async () => undefined)).rejects.toMatchObject({ code: "3D000" });
  });
});

describe("startPostgres", () => {
  it("keeps port and data over a crash, and is gone when stopped", async () => {
    const server = await startPostgres();
    await withClient(server.url, (client) => client.query("CREATE TABLE kept AS SELECT 1 AS one"));
    await server.halt("SIGKILL");
    await expect(withClient(server.url, async () => undefined)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    await server.resume();
    const kept = await waitFor("the table", () => withClient(server.url, (c) => c.query("SELECT one FROM kept")));
    expect(kept.rows).toEqual([{ one: 1 }]);
    await server.stop();
    await expect(withClient(server.url, async () => undefined)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });
});
