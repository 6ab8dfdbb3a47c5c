import { randomBytes } from "node:crypto";
import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { configMap, openSourceBench, RULES, type RunningSource, type SourceBench } from "./source-bench.ts";
import type { GitSourceOptions } from "../../../src/sources/git/git-source.ts";
import { repositoryDirectory } from "../../../src/sources/git/repository/bare-repository.ts";
import { selectFiles } from "../../../src/sources/git/selection.ts";
import { gitError } from "../../../src/sources/git/repository/transport-errors.ts";
import type { HttpsFault, TestRepository } from "../../support/git-server.ts";
import { runGit } from "../../support/git/run-git.ts";
import { waitFor } from "../../support/wait.ts";

let bench: SourceBench;
let repository: TestRepository;
let running: RunningSource;

beforeAll(async () => {
  bench = await openSourceBench();
}, 240_000);
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(async () => {
  await bench.reset();
  repository = await bench.server.createRepository();
});

async function take(changes: Parameters<TestRepository["push"]>[0], options = {}): Promise<string> {
  const commit = await repository.push(changes, "Change", options);
  await running.source.trigger("git_webhook");
  return commit;
}

async function begin(
  changes: Parameters<TestRepository["push"]>[0],
  change: Partial<GitSourceOptions> = {},
): Promise<string> {
  const commit = await repository.push(changes);
  running = bench.start(repository, change);
  await running.source.trigger("git_poll");
  return commit;
}

async function runs(): Promise<{ result: string; documents: number; rejected: number }[]> {
  return bench.fixture.sql(
    "select result, documents, rejected from fabric_sync.sync_run where fabric_id = $1 order by started_at",
    [bench.fabricId()],
  );
}

test("a push becomes rows with commit, author, file and line; a second look writes nothing", async () => {
  const commit = await begin({
    "a.yaml": `# comment\n${configMap("one")}---\n${configMap("two")}`,
    "deep/er/b.yml": configMap("three"),
    "notes.txt": "not a manifest",
  });
  expect(await bench.desired()).toEqual({ one: "a.yaml:2", three: "deep/er/b.yml:1", two: "a.yaml:8" });
  const [row] = await bench.fixture.sql(
    `select r.desired_commit, r.namespace, r.resource_state, r.write_path, e.actor from fabric_sync.resource r
     join fabric_sync.resource_event e on e.resource_id = r.id where r.name = 'one'`,
  );
  expect(row).toEqual({
    desired_commit: commit,
    namespace: "default",
    resource_state: "committed",
    write_path: "git_poll",
    actor: "Ada Author <ada@example.com>",
  });
  expect(running.source.status()).toMatchObject({
    revision: `main@sha1:${commit}`,
    files: 2,
    documents: 3,
    invalidDocuments: 0,
    error: null,
  });
  expect(await runs()).toEqual([{ result: "succeeded", documents: 3, rejected: 0 }]);
  await running.source.trigger("git_poll");
  expect(bench.revisions).toHaveLength(1);
});

test("an unchanged repository costs one ls-remote, no fetch and no write, also after a restart with an empty memory", async () => {
  await begin({ "a.yaml": configMap("one") });
  await running.stop();
  bench.server.https.requests.length = 0;
  running = bench.start(repository);
  await waitFor("the first poll", () => running.source.status().lastAttemptedRevision);
  await waitFor("the comparison", () => running.source.status().files === 1);
  expect(bench.server.https.count("ls-refs")).toBe(1);
  expect(bench.server.https.count("fetch")).toBe(0);
  expect(bench.revisions).toHaveLength(1);
});

test("moved, changed and deleted files; rows follow", async () => {
  await begin({
    "a.yaml": configMap("one"),
    "b.yaml": configMap("two"),
    "c.yaml": configMap("three"),
    "d.yaml": configMap("four"),
  });
  const commit = await take(
    {
      "a.yaml": null,
      "moved/a.yaml": configMap("one"),
      "b.yaml": configMap("two", { changed: "yes" }),
      "c.yaml": null,
    },
    { author: "Grace <grace@example.com>" },
  );
  expect(await bench.desired()).toEqual({ four: "d.yaml:1", one: "moved/a.yaml:1", two: "b.yaml:1" });
  const rows = await bench.fixture.sql<{ name: string; actor: string; event_type: string }>(
    `select r.name, e.actor, e.event_type from fabric_sync.resource_event e join fabric_sync.resource r on r.id = e.resource_id
     where e.commit = $1 order by 1`,
    [commit],
  );
  expect(rows).toEqual(
    expect.arrayContaining([
      { name: "three", actor: "Grace <grace@example.com>", event_type: "deleted" },
      { name: "two", actor: "Grace <grace@example.com>", event_type: "modified" },
    ]),
  );
});

test("each row tells the commit that changed its file last, not the newest one, its author and its time", async () => {
  const old = { author: "Old <old@example.com>", date: "2001-02-03T04:05:06+07:00" };
  const first = await repository.push({ "a.yaml": configMap("one") }, "First", old);
  const second = await begin({ "b.yaml": configMap("two") });
  const third = await take({ "b.yaml": configMap("two", { x: "y" }), "c.yaml": configMap("three") });
  const rows = await bench.fixture.sql<{ name: string; desired_commit: string; blame: unknown }>(
    "select name, desired_commit, sync_metadata->'blame' as blame from fabric_sync.resource order by name",
  );
  const madeAt = async (commit: string): Promise<string> =>
    new Date(Number(await repository.git("log", "-1", "--format=%at", commit)) * 1_000).toISOString();
  const author = "Ada Author <ada@example.com>";
  expect(rows).toEqual([
    { name: "one", desired_commit: first, blame: { author: old.author, at: "2001-02-02T21:05:06.000Z" } },
    { name: "three", desired_commit: third, blame: { author, at: await madeAt(third) } },
    { name: "two", desired_commit: third, blame: { author, at: await madeAt(third) } },
  ]);
  expect(second).not.toBe(third);
});

test("a bad document costs itself alone, is named with its place, and never deletes what it was", async () => {
  await begin({ "a.yaml": `${configMap("one")}---\n${configMap("two")}`, "b.yaml": configMap("three") });
  await take({
    "a.yaml": `${configMap("one", { new: "yes" })}---\n${configMap("two").replace("name:", "name")}`,
    "b.yaml": null,
    "c.yaml": configMap("four"),
  });
  // b is gone, c is new, one is changed; two is unknown and stays.
  expect(Object.keys(await bench.desired())).toEqual(["four", "one", "two"]);
  const status = running.source.status();
  expect(status).toMatchObject({ documents: 3, invalidDocuments: 1, error: null });
  expect(status.rejections).toEqual([expect.stringMatching(/^a\.yaml:\d+:\d+ /)]);
  expect(status.warnings).toEqual([expect.stringContaining("a.yaml: 1 objects are kept")]);
  expect((await runs()).at(-1)).toMatchObject({ result: "partial", rejected: 1 });
  await take({ "a.yaml": configMap("one") });
  expect(Object.keys(await bench.desired())).toEqual(["four", "one"]);
  expect(running.source.status()).toMatchObject({ invalidDocuments: 0, rejections: [], warnings: [] });
});

test("a key declared twice names both places; the second takes over when the first goes, also after a restart", async () => {
  await begin({
    "a.yaml": configMap("same", { from: "a" }),
    "b.yaml": configMap("same", { from: "b" }),
    "c.yaml": configMap("c"),
  });
  expect(await bench.desired()).toMatchObject({ same: "a.yaml:1" });
  expect(running.source.status().rejections).toEqual([expect.stringMatching(/a\.yaml:1 and again at b\.yaml:1/)]);
  await running.stop();
  running = bench.start(repository);
  await take({ "a.yaml": null });
  expect(await bench.desired()).toMatchObject({ same: "b.yaml:1" });
  expect(running.source.status().rejections).toEqual([]);
});

test("symlinks, submodules, large files and strange names are named and never followed", async () => {
  await repository.push({ "good.yaml": configMap("good") });
  await symlink("good.yaml", `${repository.cloneDirectory}/link.yaml`);
  await symlink("/etc/passwd", `${repository.cloneDirectory}/out.yaml`);
  await repository.git("update-index", "--add", "--cacheinfo", `160000,${"1".repeat(40)},sub.yaml`);
  const strange = Buffer.concat([
    Buffer.from(`${repository.cloneDirectory}/bad-`),
    Buffer.from([0xff]),
    Buffer.from(".yaml"),
  ]);
  await writeFile(strange, configMap("strange"));
  await repository.git("add", "link.yaml", "out.yaml", ".");
  await repository.git("update-index", "--add", "--cacheinfo", `160000,${"1".repeat(40)},sub.yaml`);
  await repository.git("commit", "--quiet", "-m", "links");
  await repository.git("push", "--quiet", "origin", "HEAD:refs/heads/main");
  running = bench.start(repository, { rules: { ...RULES, limits: { ...RULES.limits, maxFileBytes: 1_024 } } });
  await running.source.trigger("git_poll");
  expect(running.source.status().rejections).toContainEqual(expect.stringMatching(/^sub\.yaml:1:1 a submodule/));
  await take({ "large.yaml": configMap("large", { x: "x".repeat(2_000) }) });
  expect(await bench.desired()).toEqual({ good: "good.yaml:1" });
  expect(running.source.status().rejections.join("\n")).toMatch(
    /bad-\\xff\.yaml:1:1 .*\nlarge\.yaml:1:1 .*maxFileBytes.*\nlink\.yaml:1:1 a symbolic link.*\nout\.yaml:1:1 a symbolic link/,
  );
});

test("kustomizations and charts are not rendered, and say so; .fabricsyncignore and globs take files out", async () => {
  await begin(
    {
      "a.yaml": configMap("one"),
      "kustomization.yaml": "resources: [a.yaml]\n",
      "chart/Chart.yaml": "name: chart\n",
      "chart/templates/x.yaml": "name: {{ .Values.x }}\n",
      ".fabricsyncignore": "ignored/\n!ignored/kept.yaml\n*.draft.yaml\n",
      "ignored/b.yaml": configMap("ignored"),
      "c.draft.yaml": configMap("draft"),
      "tests/t.yaml": configMap("test"),
      "data.json": '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"json"}}',
    },
    { rules: { ...RULES, exclude: ["tests/**"] } },
  );
  expect(await bench.desired()).toEqual({ json: "data.json:1", one: "a.yaml:1" });
  expect(running.source.status()).toMatchObject({
    invalidDocuments: 0,
    warnings: [expect.stringMatching(/^chart\/Chart\.yaml: /), expect.stringMatching(/^kustomization\.yaml: /)],
  });
});

test(".fabricsyncignore takes out what git takes out by a .gitignore of the same words", async () => {
  const rules: Record<string, string> = {
    "": "# words\nout/\n*.tmp.yaml\n!keep.tmp.yaml\n/top.yaml\ndeep/**/x.yaml\n\\#odd.yaml\n[ab]?.yaml\nnested/*\n!nested/in/\n\n",
    "out/": "!back.yaml\n",
    "deep/": "!x.yaml\n/only.yaml\n",
    "nested/in/": "*\n!b.yaml\n",
  };
  const paths = [
    ...["a.tmp.yaml", "keep.tmp.yaml", "sub/keep.tmp.yaml", "top.yaml", "sub/top.yaml", "#odd.yaml", "odd.yaml"],
    ...[
      "out/back.yaml",
      "out/x.yaml",
      "sub/out/c.yaml",
      "Out/d.yaml",
      "outer/e.yaml",
      "a1.yaml",
      "sub/b2.yaml",
      "c1.yaml",
    ],
    ...["deep/x.yaml", "deep/1/x.yaml", "deep/1/2/x.yaml", "deep/only.yaml", "deep/1/only.yaml"],
    ...["nested/a.yaml", "nested/in/a.yaml", "nested/in/b.yaml", "nested/in/more/c.yaml"],
  ];
  for (const path of paths) await mkdir(join(repository.cloneDirectory, dirname(path)), { recursive: true });
  for (const path of paths) await writeFile(join(repository.cloneDirectory, path), "");
  for (const [folder, text] of Object.entries(rules)) {
    await writeFile(join(repository.cloneDirectory, folder, ".gitignore"), text);
  }
  const byGit = new Set((await repository.git("check-ignore", "--no-index", "--", ...paths)).split("\n").map(unquoted));
  const ignores = new Map(Object.entries(rules).map(([folder, text]) => [`${folder}.fabricsyncignore`, text]));
  const entries = paths.map((path) => ({ path, blob: "0", type: "file" as const }));
  const byUs = selectFiles(entries, { ...RULES, path: "." }, ignores).entries.map(({ path }) => path);
  expect(new Set(byUs)).toEqual(new Set(paths.filter((path) => !byGit.has(path))));
  expect(byGit.size).toBeGreaterThan(8);
});

const unquoted = (line: string): string => (line.startsWith('"') ? String(JSON.parse(line)) : line);

test("JSON files are manifests like any other; those of other programs are passed over, until they were manifests once", async () => {
  const json = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"json"}}';
  await begin({
    "a.json": json,
    "package.json": '{"name": "x", "dependencies": {}}',
    "tsconfig.json": '{\n  // comment\n  "compilerOptions": {},\n}',
    "list.json": "[1, 2]",
    "broken.json": '{"apiVersion": "v1", "metadata": {"name": "b"}}',
  });
  expect(await bench.desired()).toEqual({ json: "a.json:1" });
  expect(running.source.status().rejections).toEqual(["broken.json:1:1 kind is missing or not a text"]);
  await take({ "a.json": "{}" });
  expect(await bench.desired()).toEqual({ json: "a.json:1" });
  expect(running.source.status().rejections).toContainEqual(expect.stringMatching(/^a\.json:1:1 /));
});

test("an emptied or vanished path keeps the rows until the Fabric says otherwise", async () => {
  const names = Array.from({ length: 12 }, (_, index) => `cm-${index}`);
  const rules = { ...RULES, path: "fabric" };
  await begin(Object.fromEntries(names.map((name) => [`fabric/${name}.yaml`, configMap(name)])), { rules });
  const before = running.source.status().revision;
  const commit = await repository.push({ fabric: null, "elsewhere.yaml": configMap("x") });
  await expect(running.source.trigger("git_poll")).rejects.toMatchObject({ code: "EmptyingRefused" });
  expect(running.source.status()).toMatchObject({
    revision: before,
    lastAttemptedRevision: `main@sha1:${commit}`,
    error: { code: "EmptyingRefused", stalled: true, message: expect.stringContaining("allowEmptying") },
  });
  expect(Object.keys(await bench.desired())).toHaveLength(12);
  await running.stop();
  running = bench.start(repository, { rules: { ...rules, allowEmptying: true } });
  await running.source.trigger("git_poll");
  expect(await bench.desired()).toEqual({});
});

test("a path that never was is told", async () => {
  await repository.push({ "a.yaml": configMap("one") });
  running = bench.start(repository, { rules: { ...RULES, path: "typo" } });
  await expect(running.source.trigger("git_poll")).rejects.toMatchObject({ code: "PathNotFound", policy: "stall" });
});

test("limits refuse the revision and keep the rows", async () => {
  await begin(
    { "a.yaml": configMap("one") },
    { rules: { ...RULES, limits: { ...RULES.limits, maxFiles: 2, maxDocuments: 3 } } },
  );
  await repository.push({ "b.yaml": configMap("b"), "c.yaml": configMap("c") });
  await expect(running.source.trigger("git_poll")).rejects.toMatchObject({ code: "LimitExceeded" });
  await repository.push({ "c.yaml": null, "b.yaml": [1, 2, 3].map((n) => configMap(`d${n}`)).join("---\n") });
  await expect(running.source.trigger("git_poll")).rejects.toMatchObject({ code: "LimitExceeded" });
  expect(Object.keys(await bench.desired())).toEqual(["one"]);
});

test("a kind that nobody serves is pending, and taken when it is; a CRD in the repository is enough", async () => {
  const vpc = "apiVersion: vpc.example.com/v1\nkind: VPC\nmetadata: {name: v1}\nspec: {a: 1}\n";
  const zone = "apiVersion: vpc.example.com/v1\nkind: Zone\nmetadata: {name: z1}\nspec: {a: 1}\n";
  await begin({
    "vpc.yaml": `${vpc}---\n${zone}`,
    "named.yaml": vpc.replace("{name: v1}", "{name: v2, namespace: lab}"),
  });
  expect(await bench.desired()).toEqual({ v2: "named.yaml:1" });
  expect(running.source.status()).toMatchObject({ invalidDocuments: 0, documents: 3 });
  expect(running.source.status().warnings).toEqual([
    expect.stringMatching(/^vpc\.yaml:1:1 .*VPC\.vpc\.example\.com/),
    expect.stringContaining("Zone"),
  ]);
  await take({
    "crd.yaml":
      "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: zones.vpc.example.com}\nspec: {group: vpc.example.com, scope: Cluster, names: {kind: Zone, plural: zones}}\n",
  });
  expect(await bench.desired()).toMatchObject({ z1: "vpc.yaml:6", v2: "named.yaml:1" });
  bench.served.set("vpc.example.com/VPC", "namespaced");
  running.source.scopesChanged();
  await waitFor("the waiting document", async () => "v1" in (await bench.desired()));
  const rows = await bench.fixture.sql(
    "select name, namespace from fabric_sync.resource where kind in ('VPC', 'Zone') order by name",
  );
  expect(rows).toEqual([
    { name: "v1", namespace: "default" },
    { name: "v2", namespace: "lab" },
    { name: "z1", namespace: "" },
  ]);
});

test.each<[string, HttpsFault]>([
  ...[401, 403, 404, 429, 500].map((status): [string, HttpsFault] => [`answers ${status}`, { type: "status", status }]),
  ["resets the connection", { type: "reset" }],
  ["breaks off within the pack", { type: "cut", afterBytes: 200 }],
  ["sends a broken pack", { type: "garble" }],
])("a server that %s keeps the rows and says why; the next poll goes on", async (_what, fault) => {
  await begin({ "a.yaml": configMap("one") });
  bench.server.https.fault = fault;
  await repository.push({ "b.yaml": configMap("two") });
  await expect(running.source.trigger("git_poll")).rejects.toThrow();
  expect(running.source.status().error).not.toBeNull();
  expect(Object.keys(await bench.desired())).toEqual(["one"]);
  bench.server.https.fault = null;
  await running.source.trigger("git_poll");
  expect(running.source.status().error).toBeNull();
  expect(Object.keys(await bench.desired())).toEqual(["one", "two"]);
});

test("a hint returns at once, whatever the server does; a burst of them is one exchange", async () => {
  await begin({ "a.yaml": configMap("one") });
  await repository.push({ "b.yaml": configMap("two") });
  bench.server.https.requests.length = 0;
  for (let n = 0; n < 100; n += 1) running.source.hint();
  expect(bench.server.https.requests).toEqual([]);
  await waitFor("the push", () => Promise.resolve(bench.revisions.length === 2));
  expect(Object.keys(await bench.desired())).toEqual(["one", "two"]);
  expect(bench.server.https.count("fetch")).toBe(1);
});

test("a push of whose webhook nobody heard is caught by the interval", async () => {
  await begin({ "a.yaml": configMap("one") }, { intervalMs: 200 });
  await repository.push({ "b.yaml": configMap("two") });
  await waitFor("the push", async () => "two" in (await bench.desired()));
});

test("a repository with sha256 ids becomes rows like any other", async () => {
  repository = await bench.server.createRepository(undefined, { objectFormat: "sha256" });
  const commit = await begin({ "a.yaml": configMap("one"), "b.yaml": configMap("two") });
  expect(commit).toHaveLength(64);
  expect(running.source.status().revision).toBe(`main@sha256:${commit}`);
  await take({ "a.yaml": null, "b.yaml": configMap("two", { n: "2" }) });
  expect(await bench.desired()).toEqual({ two: "b.yaml:1" });
});

test("it comes back by itself after a failure, without being asked", async () => {
  await begin({ "a.yaml": configMap("one") }, { random: () => 0 });
  bench.server.https.fault = { type: "status", status: 503 };
  await repository.push({ "b.yaml": configMap("two") });
  await expect(running.source.trigger("git_poll")).rejects.toThrow();
  bench.server.https.fault = null;
  await waitFor("the retry", async () => "two" in (await bench.desired()));
});

test("a deleted branch and rewritten history", async () => {
  await begin({ "a.yaml": configMap("one"), "b.yaml": configMap("two") });
  await take({ "a.yaml": null, "c.yaml": configMap("three") }, { amend: true });
  expect(Object.keys(await bench.desired())).toEqual(["three", "two"]);
  await repository.git("push", "--quiet", "origin", "HEAD:refs/heads/other");
  await runGit(repository.bareDirectory, ["update-ref", "-d", "refs/heads/main"], process.env);
  await expect(running.source.trigger("git_poll")).rejects.toMatchObject({ code: "RefNotFound" });
  expect(Object.keys(await bench.desired())).toEqual(["three", "two"]);
});

test("a cache that is damaged behind our back is fetched again; the rows never notice", async () => {
  await begin({ "a.yaml": configMap("one"), "b.yaml": configMap("two") });
  await running.stop();
  await rm(join(repositoryDirectory(bench.cache, repository.httpsUrl, ""), "objects"), { recursive: true });
  await repository.push({ "c.yaml": configMap("three") });
  running = bench.start(repository, { random: () => 0 });
  await waitFor("the new revision", async () => "three" in (await bench.desired()), { timeoutMs: 90_000 });
  expect(Object.keys(await bench.desired())).toEqual(["one", "three", "two"]);
});

test("two pushes within a take end in the second; the order never reverses", async () => {
  await begin({ "a.yaml": configMap("one", { n: "0" }) });
  const asked: Promise<void>[] = [];
  let last = "";
  for (let n = 1; n <= 5; n += 1) {
    last = await repository.push({ "a.yaml": configMap("one", { n: String(n) }) });
    asked.push(running.source.trigger("git_webhook"));
  }
  await Promise.all(asked);
  expect(running.source.status().revision).toBe(`main@sha1:${last}`);
  const [row] = await bench.fixture.sql<{ n: string }>(
    "select desired_spec->'data'->>'n' as n from fabric_sync.resource",
  );
  expect(row?.n).toBe("5");
  const order = bench.revisions.map(({ cursor }) => cursor.position);
  const history = (await repository.git("rev-list", "--reverse", "main")).split("\n");
  expect(order).toEqual([...order].sort((a, b) => history.indexOf(a) - history.indexOf(b)));
});

test("another path under the same Fabric replaces the rows, and forgets the old cursor", async () => {
  await begin(
    { "one/a.yaml": configMap("one"), "two/a.yaml": configMap("two"), "two/b.yaml": configMap("three") },
    { rules: { ...RULES, path: "one" } },
  );
  await running.stop();
  running = bench.start(repository, { rules: { ...RULES, path: "two", allowEmptying: true } });
  await running.source.trigger("git_poll");
  expect(await bench.desired()).toEqual({ three: "two/b.yaml:1", two: "two/a.yaml:1" });
  expect(await bench.fixture.store.readCursors(bench.fabricId())).toHaveLength(1);
});

test("a file of more than 16 MiB is left out by the server and refused by name; everything else in the push is taken in", async () => {
  await begin({ "a.yaml": configMap("one"), "film.yaml": configMap("kept") });
  await repository.git("config", "core.compression", "0");
  const commit = await take({ "film.yaml": randomBytes(17 << 20), "b.yaml": configMap("two") });
  // What the file declared before may still be in it.
  expect(await bench.desired()).toEqual({ kept: "film.yaml:1", one: "a.yaml:1", two: "b.yaml:1" });
  const { revision, rejections, error } = running.source.status();
  expect([revision, error]).toEqual([`main@sha1:${commit}`, null]);
  expect(rejections).toEqual([expect.stringContaining("film.yaml:1:1 more than 16777216 bytes, more than limits.max")]);
  await take({ "film.yaml": configMap("kept") });
  expect(running.source.status().rejections).toEqual([]);
});

test("from a server that leaves nothing out the large file comes too, and is refused by its size; beyond the transfer bound the rows stay", async () => {
  await repository.git("--git-dir", repository.bareDirectory, "config", "uploadpack.allowFilter", "false");
  const first = await begin({ "a.yaml": configMap("one") }, { maxTransferBytes: 1 << 20 });
  const commit = await take({ "film.yaml": Buffer.alloc(17 << 20, "a: 1\n"), "b.yaml": configMap("two") });
  expect(commit).not.toBe(first);
  expect(await bench.desired()).toEqual({ one: "a.yaml:1", two: "b.yaml:1" });
  const { revision, rejections } = running.source.status();
  expect(revision).toBe(`main@sha1:${commit}`);
  expect(rejections).toEqual([expect.stringContaining(`film.yaml:1:1 ${17 << 20} bytes, more than limits.max`)]);
  await expect(take({ "noise.yaml": randomBytes(2 << 20), "c.yaml": configMap("three") })).rejects.toMatchObject({
    code: "LimitExceeded",
  });
  expect(running.source.status()).toMatchObject({ revision, error: { code: "LimitExceeded", stalled: true } });
  expect(await bench.desired()).toEqual({ one: "a.yaml:1", two: "b.yaml:1" });
});

test("a revision that is not signed as the Fabric asks is not taken in: the rows stay, and the status says why", async () => {
  await begin({ "a.yaml": configMap("one") });
  const taken = running.source.status().revision;
  await running.stop();
  let signed = false;
  const verifier = {
    check: () =>
      signed ? Promise.resolve() : Promise.reject(gitError("VerificationFailed", "commit x is not signed")),
  };
  const commit = await repository.push({ "b.yaml": configMap("two") });
  running = bench.start(repository, { verifier });
  await expect(running.source.trigger("git_poll")).rejects.toMatchObject({ code: "VerificationFailed" });
  expect(await bench.desired()).toEqual({ one: "a.yaml:1" });
  expect(running.source.status()).toMatchObject({
    revision: taken,
    lastAttemptedRevision: `main@sha1:${commit}`,
    error: { code: "VerificationFailed", message: "commit x is not signed", stalled: true },
  });
  signed = true;
  await running.source.trigger("git_poll");
  expect(running.source.status()).toMatchObject({ revision: `main@sha1:${commit}`, error: null });
  expect(await bench.desired()).toEqual({ one: "a.yaml:1", two: "b.yaml:1" });
});
