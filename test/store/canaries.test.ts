import { normaliseActual, normaliseDesired } from "../../src/core/normalise.ts";
import { COMMIT_1, openStore } from "./fixture.ts";

const CANARY = "canary-4f1d2a";

test("planted secrets reach no table, no event, no dead letter and no error", async () => {
  await using at = await openStore();
  const seen = { fabricId: at.fabricId, writePath: "watch" as const, observedAt: 1_700_000_000_000 };
  const secret = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name: "login",
      namespace: "default",
      annotations: { "kubectl.kubernetes.io/last-applied-configuration": `{"data":{"a":"${CANARY}"}}` },
      uid: "uid-1",
      resourceVersion: "10",
    },
    data: { password: Buffer.from(CANARY).toString("base64"), plain: CANARY },
    stringData: { token: CANARY },
  };
  const nested = {
    apiVersion: "example.com/v1",
    kind: "Login",
    metadata: { name: "nested", namespace: "default", uid: "uid-2", resourceVersion: "11" },
    spec: { deep: [{ password: CANARY, url: `https://user:${CANARY}@git.example.com/x.git` }] },
    status: { token: CANARY },
  };
  // Refused, so that its whole observation is kept as a dead letter.
  const refused = { ...nested, metadata: { ...nested.metadata, name: "refused" }, spec: { ...nested.spec, nul: "\0" } };
  const origin = { commit: COMMIT_1, author: "ada", filePath: "login.yaml", line: 1, fileHash: "b".repeat(40) };
  const result = await at.apply([
    ...[secret, nested, refused].map((object) => normaliseActual(object, seen)),
    normaliseDesired(secret, origin, seen),
  ]);
  expect(result).toMatchObject({ changed: 3, observations: 4 });
  await at.sql("ALTER TABLE fabric_sync.resource ADD CONSTRAINT no_more CHECK (name <> 'nested2') NOT VALID");
  const renamed = { ...nested, metadata: { ...nested.metadata, name: "nested2" } };
  const constrained = await at.apply([normaliseActual(renamed, seen)]);

  const tables = await at.sql<{ name: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname = 'fabric_sync'
     UNION ALL SELECT format('%I.%I', schemaname, viewname) FROM pg_views WHERE schemaname = 'fabric_sync'`,
  );
  // What the commands and the HTTP side answer from.
  const rows = await at.store.findResources({ fabricId: at.fabricId, kind: "Login", name: "nested" });
  const { key } = normaliseActual(nested, seen);
  let dump = JSON.stringify([
    result,
    constrained,
    await at.store.listDeadLetters({ fabricId: at.fabricId }),
    rows,
    await at.store.explain(key, 10),
    await at.store.sideAsOf(key, "actual", "2100-01-01T00:00:00.000Z"),
    await at.store.summarise(),
  ]);
  expect(rows).toHaveLength(1);
  for (const { name } of tables) {
    const rows = await at.sql<{ row: string }>(`SELECT t::text AS row FROM ${name} t`);
    dump += rows.map(({ row }) => row).join("\n");
  }
  expect(dump).toContain("login.yaml");
  expect(dump).not.toContain(CANARY);
  expect(dump).not.toContain(Buffer.from(CANARY).toString("base64"));
});
