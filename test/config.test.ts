import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigurationError, loadConfig } from "../src/config.ts";
import type { Environment, Needs } from "../src/config.ts";
import type { Flags } from "../src/settings.ts";
import { SETTINGS } from "../src/settings.ts";

const NOTHING: Needs = { database: false, cluster: false };
const ALL: Needs = { database: true, cluster: true };

function problemsOf(needs: Needs, environment: Environment, flags: Flags = {}): string[] {
  try {
    loadConfig(needs, flags, environment);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems.map(({ name, problem }) => `${name}: ${problem}`);
    throw error;
  }
  return [];
}

const directory = mkdtempSync(join(tmpdir(), "fabric-sync-config-"));
const kubeconfig = join(directory, "config");
writeFileSync(kubeconfig, "");
afterAll(() => rmSync(directory, { recursive: true }));

test("without any variable the defaults of the documentation hold", () => {
  const config = loadConfig(NOTHING, {}, { HOME: "/home/anna" });
  expect(config).toMatchObject({
    databaseUrl: "",
    kubeconfig: "",
    namespaces: [],
    listen: { host: "", port: 8080 },
    logLevel: "info",
    cacheDir: "/home/anna/.cache/fabric-sync",
    cacheBytes: 1_073_741_824,
    podNamespace: "default",
  });
  expect(config.identity).toMatch(/-\d+$/);
});

test("every value is read from its variable, and a flag of the same name wins", () => {
  const environment = {
    DATABASE_URL: "postgres://variable@db/fabric",
    KUBECONFIG: kubeconfig,
    FABRIC_SYNC_NAMESPACES: "lab, fabrics,lab",
    FABRIC_SYNC_LISTEN: "[::1]:0",
    FABRIC_SYNC_CACHE_DIR: "/cache",
    FABRIC_SYNC_CACHE_BYTES: "33554432",
    LOG_LEVEL: "WARN",
    POD_NAMESPACE: "operators",
    POD_NAME: "fabric-sync-0",
    PATH: "/bin",
    https_proxy: "http://proxy:3128",
  };
  expect(loadConfig(ALL, {}, environment)).toEqual({
    databaseUrl: "postgres://variable@db/fabric",
    kubeconfig,
    namespaces: ["lab", "fabrics"],
    listen: { host: "::1", port: 0 },
    logLevel: "warn",
    cacheDir: "/cache",
    cacheBytes: 33_554_432,
    gitHost: { path: "/bin", httpsProxy: "http://proxy:3128", noProxy: "" },
    podNamespace: "operators",
    identity: "fabric-sync-0",
  });
  const flags = { DATABASE_URL: "postgresql://flag@db/fabric", LOG_LEVEL: "debug", FABRIC_SYNC_LISTEN: "127.0.0.1:9" };
  expect(loadConfig(ALL, flags, environment)).toMatchObject({
    databaseUrl: "postgresql://flag@db/fabric",
    logLevel: "debug",
    listen: { host: "127.0.0.1", port: 9 },
  });
});

test("an empty value counts as not set", () => {
  expect(loadConfig(NOTHING, {}, { LOG_LEVEL: " ", FABRIC_SYNC_NAMESPACES: "" })).toMatchObject({
    logLevel: "info",
    namespaces: [],
  });
});

test("every wrong value is named at once, by the flag where it came from one", () => {
  const problems = problemsOf(
    ALL,
    {
      DATABASE_URL: "mysql://anna:geheim@db/fabric",
      KUBECONFIG: join(directory, "missing"),
      FABRIC_SYNC_NAMESPACES: "lab,No_Such",
      FABRIC_SYNC_LISTEN: "8080",
      LOG_LEVEL: "loud",
      POD_NAMESPACE: "Operators",
      POD_NAME: "a b",
    },
    { FABRIC_SYNC_LISTEN: ":65536" },
  );
  expect(problems).toEqual([
    "DATABASE_URL: does not begin with postgres://; give postgres://user:password@host:port/database",
    `KUBECONFIG: ${JSON.stringify(join(directory, "missing"))} cannot be read; give the path of a file`,
    'FABRIC_SYNC_NAMESPACES: "No_Such" is not a namespace; give names such as fabrics,lab',
    '--listen: ":65536" is not an address; give :8080 or 127.0.0.1:8080',
    'LOG_LEVEL: "loud" is not a level; give one of debug, info, warn, error',
    'POD_NAMESPACE: "Operators" is not a namespace',
    'POD_NAME: "a b" is not a pod name',
  ]);
});

test("what the command needs and nobody gave is named beside what is wrong", () => {
  expect(problemsOf(ALL, { LOG_LEVEL: "x" }).map((problem) => problem.split(":")[0])).toEqual([
    "LOG_LEVEL",
    "DATABASE_URL",
    "KUBECONFIG",
  ]);
  expect(problemsOf({ database: false, cluster: true }, { KUBERNETES_SERVICE_HOST: "10.0.0.1" })).toEqual([]);
});

test.each([
  "mysql://anna:geheim@db/fabric",
  "postgres://anna:ge@heim@db:port/fabric",
  "postgres://anna:geheim@db/fabric?sslmode=geheim://",
  "anna:geheim@db",
])("no message repeats a credential: %s", (url) => {
  for (const name of ["DATABASE_URL", "FABRIC_SYNC_LISTEN", "FABRIC_SYNC_NAMESPACES", "LOG_LEVEL", "POD_NAME"]) {
    const problems = problemsOf(NOTHING, { [name]: url });
    expect(problems).toHaveLength(1);
    expect(problems.join()).not.toMatch(/geheim|heim@/);
  }
});

describe("the database by libpq's variables", () => {
  test("a host, a user and a password with special characters make a URL", () => {
    const config = loadConfig(
      { database: true, cluster: false },
      {},
      { PGHOST: "db.example", PGPORT: "5433", PGUSER: "anna", PGPASSWORD: "p@ss:/?#", PGDATABASE: "fabric" },
    );
    const url = new URL(config.databaseUrl.replace("@/", "@host/"));
    expect(decodeURIComponent(url.password)).toBe("p@ss:/?#");
    expect(url.searchParams.get("host")).toBe("db.example");
    expect(url.searchParams.get("port")).toBe("5433");
    expect(url.pathname).toBe("/fabric");
  });

  test("a socket directory stands in the place of the host", () => {
    const { databaseUrl } = loadConfig({ database: true, cluster: false }, {}, { PGHOST: "/var/run/postgresql" });
    expect(new URL(databaseUrl.replace(":///", "://host/")).searchParams.get("host")).toBe("/var/run/postgresql");
  });

  test("each wrong one is named", () => {
    const wrong = { PGHOST: "db", PGPORT: "many", PGSSLMODE: "maybe" };
    expect(problemsOf({ database: true, cluster: false }, wrong)).toEqual([
      'PGPORT: "many" is not a port; give a number such as 5432',
      'PGSSLMODE: sslmode "maybe" is not one of disable, prefer, require, verify-ca, verify-full',
    ]);
  });

  test("they do not count beside DATABASE_URL", () => {
    const { databaseUrl } = loadConfig(NOTHING, {}, { DATABASE_URL: "postgres://a@b/c", PGHOST: "db", PGPORT: "many" });
    expect(databaseUrl).toBe("postgres://a@b/c");
  });
});

test("sslmode means what it means to psql, not what the driver makes of it", () => {
  const { databaseUrl } = loadConfig(NOTHING, {}, { DATABASE_URL: "postgres://a@b/c?sslmode=require" });
  expect(new URL(databaseUrl).searchParams.get("uselibpqcompat")).toBe("true");
  expect(problemsOf(NOTHING, { DATABASE_URL: "postgres://a@b/c?sslmode=verify-ca" })).toEqual([
    "DATABASE_URL: sslmode verify-ca needs sslrootcert, the file of the CA; or give verify-full",
  ]);
  expect(problemsOf(NOTHING, { DATABASE_URL: "postgres://a@b/c?sslmode=verify-full&sslrootcert=/missing" })).toEqual([
    'DATABASE_URL: sslrootcert "/missing" cannot be read; give the path of a file',
  ]);
});

test("a home that cannot hold a cache is not used for one", () => {
  expect(loadConfig(NOTHING, {}, { HOME: "/" }).cacheDir).toBe(join(tmpdir(), "fabric-sync"));
  expect(loadConfig(NOTHING, {}, { HOME: "/", XDG_CACHE_HOME: "/var/cache" }).cacheDir).toBe("/var/cache/fabric-sync");
});

test("the table in docs/configuration.md is the one of the code", () => {
  const text = readFileSync(new URL("../docs/configuration.md", import.meta.url), "utf8");
  const [, table = ""] = /<!-- settings[^>]*-->([\s\S]*)<!-- \/settings -->/.exec(text) ?? [];
  const rows = table
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) => line.split("|").map((cell) => cell.trim()));
  expect(rows).toEqual(
    SETTINGS.map(({ variable, flag, ...setting }) => [
      "",
      `\`${variable}\``,
      `\`--${flag}\``,
      setting.default,
      setting.description,
      "",
    ]),
  );
});
