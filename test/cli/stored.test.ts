import { actualGone, actualVpc, clusterCursor, COMMIT_1, desiredVpc, openStore } from "../store/fixture.ts";
import type { StoreFixture } from "../store/fixture.ts";
import { fabricSync, widthOf } from "./support/program.ts";

/** What the fixture calls its fabric. */
const FABRIC = "netops/lab";

let fixture: StoreFixture;
let environment: Record<string, string>;

beforeAll(async () => {
  fixture = await openStore();
  environment = { DATABASE_URL: fixture.database.url };
  const { fabricId } = fixture;
  const edited = { spec: { subnets: { default: { subnet: "10.0.1.0/24", vlan: 1999 } } } };
  const { deadLettered } = await fixture.apply(
    [
      desiredVpc({ fabricId }, "web", COMMIT_1),
      actualVpc({ fabricId }, "web", { rv: "10" }, edited),
      desiredVpc({ fabricId }, "data", COMMIT_1),
      actualVpc({ fabricId }, "lone", { rv: "11" }),
      actualVpc({ fabricId }, "gone", { rv: "12" }),
    ],
    {
      cursors: [
        clusterCursor("12", Date.now() - 5_000),
        {
          source: "git",
          scope: "https://git.example/fabric.git branch main .",
          position: COMMIT_1,
          completeAt: Date.now(),
        },
      ],
    },
  );
  expect(deadLettered).toEqual([]);
  await fixture.apply([actualGone({ fabricId }, "gone", { rv: "13" })]);
});

afterAll(() => fixture[Symbol.asyncDispose]());

/** Colourless, aligned, and for a terminal of 100 columns. */
function expectReadable(text: string): void {
  expect(widthOf(text)).toBeLessThanOrEqual(100);
  expect(text).not.toMatch(/\u001b|undefined|\[object|NaN|null/);
  expect(text).not.toMatch(/[ \t]$/m);
}

describe("status", () => {
  test("one line a fabric, figures under their titles", async () => {
    const { code, stdout, stderr } = await fabricSync(["status"], environment);
    expect([code, stderr]).toEqual([0, ""]);
    expectReadable(stdout);
    const [title = "", line = ""] = stdout.split("\n");
    expect(title.split(/ {2,}/)).toEqual([
      "FABRIC",
      "GIT",
      "CLUSTER",
      "IN SYNC",
      "DRIFTED",
      "MISSING",
      "UNKNOWN",
      "REFUSED",
      "REVISION TAKEN",
      "AS OF",
    ]);
    expect(line).toMatch(/^netops\/lab +2 +2 +0 +1 +1 +0 +0 {2}1111111111, \d+\w ago {2,}\d+\w ago$/);
    for (const name of ["GIT", "DRIFTED", "MISSING"]) {
      const end = title.indexOf(name) + name.length;
      expect(line.slice(end - 1, end + 1)).toMatch(/^\d $/);
    }
  });

  test("one fabric with its sources", async () => {
    const { code, stdout } = await fabricSync(["status", FABRIC], environment);
    expect(code).toBe(0);
    expectReadable(stdout);
    expect(stdout).toMatch(/^Fabric netops\/lab\n {2}objects +2 in Git, 2 in the cluster\n {2}state +\d/);
    expect(stdout).toMatch(/^cluster {2}vpc\.githedgehog\.com\/v1beta1\/vpcs +12 +\d+\w ago$/m);
    expect(stdout).toContain("No run was recorded yet.");
  });

  test("--json for machines, with the same verdict", async () => {
    const all = await fabricSync(["status", "--json"], environment);
    const one = await fabricSync(["status", FABRIC, "--json"], environment);
    const [first] = JSON.parse(all.stdout) as Record<string, unknown>[];
    expect(first).toEqual(JSON.parse(one.stdout));
    expect(first).toMatchObject({
      namespace: "netops",
      name: "lab",
      well: true,
      counts: { objects: 2, desired: 2, deadLetters: 0 },
      cursors: expect.arrayContaining([expect.objectContaining({ source: "cluster", position: "12" })]),
    });
  });

  test("a fabric that is not there is named, with those that are: 2", async () => {
    expect(await fabricSync(["status", "netops/other"], environment)).toMatchObject({
      code: 2,
      stdout: "",
      stderr: "fabric-sync: no Fabric netops/other: there is netops/lab (NoSuchFabric)\n",
    });
  });
});

describe("explain", () => {
  test("both sides, the drifted path with its place, and the history", async () => {
    const { code, stdout } = await fabricSync(["explain", FABRIC, "VPC/web"], environment);
    expect(code).toBe(0);
    expectReadable(stdout);
    expect(stdout).toMatch(
      /^VPC\.vpc\.githedgehog\.com default\/web {2}\(vpc\.githedgehog\.com\/v1beta1\)\nFabric netops\/lab\n/,
    );
    expect(stdout).toMatch(/^ {2}drift +drifted since \d+\w ago, severity \w+, score \d+$/m);
    expect(stdout).toMatch(/^ {2}git +vpcs\/web\.yaml:1, commit 1{10}, taken in /m);
    expect(stdout).toMatch(/^ {2}cluster +generation 1, resourceVersion 10, /m);
    expect(stdout).toMatch(/^\/spec\/subnets\/default\/vlan {2}1001 {2}1999 /m);
    expect(stdout).toMatch(/^declared at vpcs\/web\.yaml:1:1 \(1{10}\)$/m);
    expect(stdout).toMatch(/^\/spec\/subnets\/default\/subnet {2}10\.0\.1\.0\/24 {2}10\.0\.1\.0\/24$/m);
    expect(stdout).toMatch(/^\/spec\/subnets\/default\/vlan +1001 +1999 +~$/m);
    expect(stdout).toMatch(/^\d+\w ago {2}actual +added .*drifted/m);
  });

  test("a side that is not there is said in words", async () => {
    const missing = await fabricSync(["explain", FABRIC, "VPC/default/data"], environment);
    expect(missing.stdout).toMatch(/^ {2}cluster {2}does not have it$/m);
    const lone = await fabricSync(["explain", FABRIC, "VPC.vpc.githedgehog.com/default/lone"], environment);
    expect(lone.stdout).toMatch(/^ {2}git +does not declare it$/m);
    const gone = await fabricSync(["explain", FABRIC, "VPC/gone"], environment);
    expect(gone.stdout).toMatch(/^ {2}state +deleted since /m);
    expect(gone.stdout).toMatch(/ago {2}actual {2}deleted /);
    for (const { code, stdout } of [missing, lone, gone]) {
      expect(code).toBe(0);
      expectReadable(stdout);
    }
  });

  test("--json has the whole row, its events and its dead letters", async () => {
    const { stdout } = await fabricSync(["explain", FABRIC, "VPC/web", "--json", "--events", "1"], environment);
    const story = JSON.parse(stdout) as { row: object; events: object[]; deadLetters: object[] };
    expect(story.row).toMatchObject({ name: "web", driftStatus: "drifted", desiredCommit: COMMIT_1 });
    expect([story.events.length, story.deadLetters.length]).toEqual([1, 0]);
  });

  test("a resource that is not there: 2", async () => {
    const { code, stderr } = await fabricSync(["explain", FABRIC, "VPC/nowhere"], environment);
    expect(code).toBe(2);
    expect(stderr).toContain("no resource VPC/nowhere in netops/lab");
  });

  test("a name that several resources have: 64, and all of them", async () => {
    const { fabricId } = fixture;
    await fixture.apply([
      actualVpc({ fabricId }, "twice", { rv: "20", uid: "a" }, { metadata: { namespace: "one" } }),
      actualVpc({ fabricId }, "twice", { rv: "21", uid: "b" }, { metadata: { namespace: "two" } }),
    ]);
    const { code, stderr } = await fabricSync(["explain", FABRIC, "VPC/twice"], environment);
    expect(code).toBe(64);
    expect(stderr).toMatch(/2 resources have that name/);
    expect(stderr).toMatch(/VPC\.vpc\.githedgehog\.com one\/twice\n +VPC\.vpc\.githedgehog\.com two\/twice/);
    expect((await fabricSync(["explain", FABRIC, "VPC/two/twice"], environment)).code).toBe(0);
  });
});

describe("what the database refuses", () => {
  let own: StoreFixture;
  let url: Record<string, string>;

  beforeAll(async () => {
    own = await openStore();
    url = { DATABASE_URL: own.database.url };
    const { fabricId } = own;
    // A NUL is valid in Kubernetes and in no column of Postgres.
    const broken = { spec: { description: "a\u0000b" } };
    await own.apply(
      ["one", "two"].map((name, at) => actualVpc({ fabricId }, name, { rv: `${at + 1}` }, broken)),
      {
        cursors: [clusterCursor("2", Date.now())],
      },
    );
  });
  afterAll(() => own[Symbol.asyncDispose]());

  test("is listed with its reason, and makes status and explain say 1", async () => {
    const { code, stdout } = await fabricSync(["dead-letter", "list"], url);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^FABRIC +ID +CODE +TRIES +LAST\nnetops\/lab {2}actual\/vpc\.githedgehog\.com\/VPC\/default\/one +22P05 +1 {2}\d+\w ago\n {4}\S/,
    );
    expect((await fabricSync(["status"], url)).code).toBe(1);
    expect((await fabricSync(["status", "--json"], url)).stdout).toContain('"well": false');
  });

  test("--json has what was refused, --kind and --name narrow it", async () => {
    const { stdout } = await fabricSync(["dead-letter", "list", FABRIC, "--name", "two", "--json"], url);
    expect(JSON.parse(stdout)).toEqual([
      expect.objectContaining({ fabric: FABRIC, side: "actual", key: expect.objectContaining({ name: "two" }) }),
    ]);
  });

  test("can be given up on, one or all", async () => {
    const id = "actual/vpc.githedgehog.com/VPC/default/one";
    expect(await fabricSync(["dead-letter", "drop", FABRIC, "--id", id], url)).toMatchObject({
      code: 0,
      stdout: "1 dead letter dropped.\n",
    });
    expect(await fabricSync(["dead-letter", "drop", FABRIC, "--all", "--json"], url)).toMatchObject({
      code: 0,
      stdout: '{\n  "dropped": 1\n}\n',
    });
    expect((await fabricSync(["dead-letter", "list"], url)).stdout).toBe("The database refused nothing.\n");
  });
});
