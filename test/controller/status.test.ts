import fc from "fast-check";
import type { FabricStatus } from "../../src/api/status.ts";
import type { FabricFacts } from "../../src/controller/facts.ts";
import { storeLossOf } from "../../src/controller/store-loss.ts";
import { conditionsOf, fabricStatusOf } from "../../src/controller/status.ts";
import type { LandingCounts } from "../../src/core/landed.ts";
import type { GitStatus, SourceError, StreamStatus } from "../../src/core/streams.ts";

const NOW = Date.parse("2026-03-01T12:00:00.000Z");

const stream = (changes: Partial<StreamStatus> = {}): StreamStatus => ({
  scope: "wiring.githedgehog.com/v1beta1/switches",
  apiGroup: "wiring.githedgehog.com",
  kind: "Switch",
  plural: "switches",
  state: "watching",
  reason: "Watching",
  message: "",
  completeAt: NOW - 1_000,
  lastEventAt: NOW - 5_000,
  ...changes,
});
const git = (changes: Partial<GitStatus> = {}): GitStatus => ({
  revision: "main@sha1:0123456789abcdef0123456789abcdef01234567",
  lastAttemptedRevision: "main@sha1:0123456789abcdef0123456789abcdef01234567",
  lastFetchedAt: NOW - 2_000,
  files: 7,
  documents: 20,
  invalidDocuments: 0,
  rejections: [],
  warnings: [],
  error: null,
  ...changes,
});
const landings = (changes: Partial<LandingCounts> = {}): LandingCounts => ({
  objects: 338,
  refused: 0,
  inCluster: { yes: 338, no: 0, unknown: 0 },
  onDevice: { yes: 120, no: 0, unknown: 0 },
  ...changes,
});
const facts = (changes: Partial<FabricFacts> = {}): FabricFacts => ({
  now: NOW,
  generation: 3,
  actedGeneration: 3,
  judged: true,
  judgedBy: "0123456789abcdef",
  suspended: false,
  invalidSpec: null,
  store: { asked: true, error: null },
  storeLoss: null,
  cluster: { streams: [stream()], error: null, discovered: true, impersonated: "" },
  git: git(),
  hasGit: true,
  counts: {
    objects: 340,
    desired: 338,
    byState: { synced: 337 },
    byDrift: { in_sync: 335, drifted: 3, missing: 2 },
    unknown: [],
    bySeverity: { medium: 3, high: 2 },
    driftScore: 70,
    rejections: 0,
    deadLetters: 0,
  },
  landings: landings(),
  handledReconcileAt: "",
  webhookPath: "",
  ...changes,
});
const failure = (changes: Partial<SourceError> = {}): SourceError => ({
  code: "AuthenticationFailed",
  message: "the server refuses the credentials",
  stalled: false,
  ...changes,
});
const brief = (given: FabricFacts): Record<string, string> =>
  Object.fromEntries(
    conditionsOf(given)
      .filter(({ type }) => type !== "Landed")
      .map(({ type, status, reason }) => [type, `${status} ${reason}`]),
  );

describe("Landed", () => {
  const revision = "main@sha1:0123456789abcdef0123456789abcdef01234567";
  test.each<[string, FabricFacts, string, string]>([
    [
      "all of it was seen",
      facts(),
      "True Landed",
      `${revision}: 338 of 338 objects are in the cluster, 120 of 120 on the devices`,
    ],
    [
      "something is not in the cluster",
      facts({ landings: landings({ inCluster: { yes: 335, no: 2, unknown: 1 } }) }),
      "False NotInCluster",
      `${revision}: 335 of 338 objects are in the cluster (2 not, 1 unknown), 120 of 120 on the devices`,
    ],
    [
      "a device has not applied something",
      facts({ landings: landings({ onDevice: { yes: 118, no: 2, unknown: 0 } }) }),
      "False NotOnDevices",
      `${revision}: 338 of 338 objects are in the cluster, 118 of 120 on the devices (2 not)`,
    ],
    [
      "not all of it was seen",
      facts({ landings: landings({ onDevice: { yes: 118, no: 0, unknown: 2 } }) }),
      "Unknown NotObserved",
      `${revision}: 338 of 338 objects are in the cluster, 118 of 120 on the devices (2 unknown)`,
    ],
    [
      "the database refused something",
      facts({ landings: landings({ refused: 1 }) }),
      "False Refused",
      `${revision}: 338 of 338 objects are in the cluster, 120 of 120 on the devices; 1 document refused and not taken in`,
    ],
    ["nothing was counted", facts({ landings: null }), "Unknown NotCounted", "it was not counted"],
    ["rows are being compared", facts({ judged: false }), "Unknown Comparing", "rows are being compared"],
    ["no revision is taken in", facts({ git: git({ revision: "" }) }), "Unknown NotTakenIn", "no revision"],
    ["it is suspended", facts({ suspended: true }), "Unknown Suspended", "suspended"],
    [
      "Git declares nothing",
      facts({
        landings: landings({
          objects: 0,
          inCluster: { yes: 0, no: 0, unknown: 0 },
          onDevice: { yes: 0, no: 0, unknown: 0 },
        }),
      }),
      "True NothingDeclared",
      `${revision}: 0 of 0 objects are in the cluster`,
    ],
  ])("%s", (_why, given, expected, message) => {
    const [landed] = conditionsOf(given).filter(({ type }) => type === "Landed");
    expect(`${landed?.status} ${landed?.reason}`).toBe(expected);
    expect(landed?.message).toContain(message);
  });

  test("a Fabric without Git has none", () => {
    expect(conditionsOf(facts({ hasGit: false, git: null })).map(({ type }) => type)).not.toContain("Landed");
  });
});

describe("conditions", () => {
  test.each<[string, FabricFacts, Record<string, string>]>([
    [
      "all is well",
      facts(),
      {
        Ready: "True Succeeded",
        ClusterReady: "True Watching",
        GitReady: "True RevisionTaken",
        StoreReady: "True Connected",
      },
    ],
    [
      "a Fabric without Git has no GitReady",
      facts({ git: null, hasGit: false }),
      { Ready: "True Succeeded", ClusterReady: "True Watching", StoreReady: "True Connected" },
    ],
    [
      "nothing is known yet",
      facts({ store: { asked: false, error: null }, cluster: null, git: null, counts: null }),
      {
        Ready: "Unknown Progressing",
        Reconciling: "True Progressing",
        ClusterReady: "Unknown NotStarted",
        GitReady: "Unknown NotStarted",
        StoreReady: "Unknown Connecting",
      },
    ],
    [
      "discovery has not answered",
      facts({ cluster: { streams: [], error: null, discovered: false, impersonated: "" } }),
      {
        Ready: "Unknown Progressing",
        Reconciling: "True Progressing",
        ClusterReady: "Unknown Discovering",
        GitReady: "True RevisionTaken",
        StoreReady: "True Connected",
      },
    ],
    [
      "the cluster serves nothing that is selected",
      facts({ cluster: { streams: [], error: null, discovered: true, impersonated: "" } }),
      {
        Ready: "True Succeeded",
        ClusterReady: "True NothingServed",
        GitReady: "True RevisionTaken",
        StoreReady: "True Connected",
      },
    ],
    [
      "a kind is still being listed",
      facts({
        cluster: {
          streams: [stream(), stream({ plural: "servers", state: "listing", completeAt: null })],
          error: null,
          discovered: true,
          impersonated: "",
        },
      }),
      {
        Ready: "Unknown Progressing",
        Reconciling: "True Progressing",
        ClusterReady: "Unknown Listing",
        GitReady: "True RevisionTaken",
        StoreReady: "True Connected",
      },
    ],
    [
      "a kind is forbidden",
      facts({
        cluster: {
          streams: [stream(), stream({ plural: "servers", state: "forbidden", completeAt: null })],
          error: null,
          discovered: true,
          impersonated: "",
        },
      }),
      {
        Ready: "False KindForbidden",
        Reconciling: "True ProgressingWithRetry",
        ClusterReady: "False KindForbidden",
        GitReady: "True RevisionTaken",
        StoreReady: "True Connected",
      },
    ],
    [
      "documents were refused",
      facts({ git: git({ invalidDocuments: 2, rejections: ["a.yaml:3:1 MissingName", "b.yaml:1:1 YamlSyntax"] }) }),
      {
        Ready: "True InvalidDocuments",
        ClusterReady: "True Watching",
        GitReady: "True InvalidDocuments",
        StoreReady: "True Connected",
      },
    ],
    [
      "Git cannot be reached",
      facts({ git: git({ error: failure() }) }),
      {
        Ready: "False AuthenticationFailed",
        Reconciling: "True ProgressingWithRetry",
        ClusterReady: "True Watching",
        GitReady: "False AuthenticationFailed",
        StoreReady: "True Connected",
      },
    ],
    [
      "a person must act",
      facts({ git: git({ error: failure({ code: "RefNotFound", stalled: true }) }) }),
      {
        Ready: "False RefNotFound",
        Stalled: "True RefNotFound",
        ClusterReady: "True Watching",
        GitReady: "False RefNotFound",
        StoreReady: "True Connected",
      },
    ],
    [
      "Postgres is away",
      facts({ store: { asked: true, error: failure({ code: "ConnectionRefused" }) } }),
      {
        Ready: "False ConnectionRefused",
        Reconciling: "True ProgressingWithRetry",
        ClusterReady: "True Watching",
        GitReady: "True RevisionTaken",
        StoreReady: "False ConnectionRefused",
      },
    ],
    [
      "Postgres lost commits, which are taken up again",
      facts({ storeLoss: { streams: 3, open: 1 } }),
      {
        Ready: "False CursorsLost",
        Reconciling: "True ProgressingWithRetry",
        ClusterReady: "True Watching",
        GitReady: "True RevisionTaken",
        StoreReady: "False CursorsLost",
      },
    ],
    [
      "Postgres is away, and had lost commits before",
      facts({
        storeLoss: { streams: 3, open: 1 },
        store: { asked: true, error: failure({ code: "ConnectionRefused" }) },
      }),
      {
        Ready: "False ConnectionRefused",
        Reconciling: "True ProgressingWithRetry",
        ClusterReady: "True Watching",
        GitReady: "True RevisionTaken",
        StoreReady: "False ConnectionRefused",
      },
    ],
    [
      "a new generation is not in force yet",
      facts({ actedGeneration: 2 }),
      {
        Ready: "Unknown Progressing",
        Reconciling: "True Progressing",
        ClusterReady: "True Watching",
        GitReady: "True RevisionTaken",
        StoreReady: "True Connected",
      },
    ],
    [
      "the rows are not judged by the policy in force",
      facts({ judged: false }),
      {
        Ready: "Unknown Progressing",
        Reconciling: "True Progressing",
        ClusterReady: "True Watching",
        GitReady: "True RevisionTaken",
        StoreReady: "True Connected",
      },
    ],
    [
      "the Fabric is suspended",
      facts({ suspended: true, cluster: null, git: null }),
      {
        Ready: "Unknown Suspended",
        ClusterReady: "Unknown Suspended",
        GitReady: "Unknown Suspended",
        StoreReady: "True Connected",
      },
    ],
    [
      "the spec cannot be read",
      facts({ invalidSpec: failure({ code: "InvalidSpec", stalled: true }), cluster: null, git: null, hasGit: false }),
      {
        Ready: "False InvalidSpec",
        Stalled: "True InvalidSpec",
        ClusterReady: "Unknown NotStarted",
        StoreReady: "True Connected",
      },
    ],
  ])("%s", (_name, given, expected) => {
    expect(brief(given)).toEqual(expected);
  });

  test("a reconnecting stream is news only when its figures are old", () => {
    const reconnecting = (completeAt: number | null) =>
      facts({
        cluster: {
          streams: [stream({ state: "retrying", reason: "ConnectionReset", message: "reset", completeAt })],
          error: null,
          discovered: true,
          impersonated: "",
        },
      });
    expect(brief(reconnecting(NOW - 89_000))["ClusterReady"]).toBe("True Watching");
    expect(brief(reconnecting(NOW - 91_000))["ClusterReady"]).toBe("False ConnectionReset");
    expect(brief(reconnecting(null))["ClusterReady"]).toBe("False ConnectionReset");
  });

  test("a forbidden kind is told with the rule to add, one rule a group", () => {
    const forbidden = (apiGroup: string, plural: string) =>
      stream({ apiGroup, plural, state: "forbidden", completeAt: null });
    const cluster = {
      streams: [forbidden("a.example", "ys"), forbidden("a.example", "xs"), forbidden("", "nodes")],
      error: null,
      discovered: true,
      impersonated: "",
    };
    const message = conditionsOf(facts({ cluster })).find(({ type }) => type === "ClusterReady")?.message;
    expect(message).toBe(
      '3 kinds may not be listed and watched; the others go on. Add in a ClusterRole with the label fabricsync.dev/aggregate-to-mirror: "true" ' +
        'the rule {apiGroups: ["a.example"], resources: ["xs", "ys"], verbs: ["list", "watch"]} and {apiGroups: [""], resources: ["nodes"], verbs: ["list", "watch"]}',
    );
    const whose = conditionsOf(facts({ cluster: { ...cluster, impersonated: "dc1/reader" } }));
    expect(whose.find(({ type }) => type === "ClusterReady")?.message).toContain(
      "for ServiceAccount dc1/reader the rule",
    );
  });

  test("Ready tells at a glance how it stands", () => {
    const ready = conditionsOf(facts()).find(({ type }) => type === "Ready");
    expect(ready?.message).toBe("1 kind watched, 340 objects, 3 drifted, 2 missing, revision main@sha1:0123456789ab");
  });

  test("what is wrong is named first, and the rest is counted", () => {
    const rejections = ["a:1", "b:1", "c:1", "d:1", "e:1"];
    const given = facts({ git: git({ invalidDocuments: 12, rejections }) });
    expect(conditionsOf(given).find(({ type }) => type === "GitReady")?.message).toBe(
      "main@sha1:0123456789abcdef0123456789abcdef01234567 is in Postgres, without 12 documents that cannot be read: a:1, b:1, c:1, d:1, e:1 and 7 more",
    );
  });
});

describe("status", () => {
  test("lastTransitionTime moves with status alone", () => {
    const first = fabricStatusOf(facts(), {});
    const later = fabricStatusOf(facts({ now: NOW + 60_000, generation: 4, git: git({ documents: 21 }) }), first);
    const failed = fabricStatusOf(facts({ now: NOW + 120_000, git: git({ error: failure() }) }), later);
    const at = (status: FabricStatus, type: string) =>
      status.conditions?.find((condition) => condition.type === type)?.lastTransitionTime;
    expect(at(first, "GitReady")).toBe("2026-03-01T12:00:00Z");
    expect(at(later, "GitReady")).toBe("2026-03-01T12:00:00Z");
    expect(at(failed, "GitReady")).toBe("2026-03-01T12:02:00Z");
    expect(at(failed, "ClusterReady")).toBe("2026-03-01T12:00:00Z");
    expect(later.conditions?.every((condition) => condition.observedGeneration === 4)).toBe(true);
  });

  test("observedGeneration is the last one that was acted upon", () => {
    expect(fabricStatusOf(facts({ actedGeneration: 2 }), {}).observedGeneration).toBe(2);
    expect(fabricStatusOf(facts({ actedGeneration: null }), { observedGeneration: 1 }).observedGeneration).toBe(1);
  });

  test("figures that could not be asked stay as they were", () => {
    const known = fabricStatusOf(facts(), {});
    const away = fabricStatusOf(facts({ counts: null, git: git({ revision: "" }) }), known);
    expect(away.drift).toEqual(known.drift);
    expect(away.git?.revision).toBe(known.git?.revision);
    expect(away.cluster?.objects).toBe(340);
  });

  test("a Fabric that drops its repository drops its Git figures", () => {
    const known = fabricStatusOf(facts(), {});
    expect(fabricStatusOf(facts({ git: null, hasGit: false }), known).git).toBeUndefined();
  });

  const of = (...streams: StreamStatus[]) =>
    fabricStatusOf(facts({ cluster: { streams, error: null, discovered: true, impersonated: "" } }), {}).cluster;
  test("cluster.completeAt is the age of the oldest stream, and absent while one was never complete", () => {
    expect(of(stream(), stream({ completeAt: NOW - 30_000 }))?.completeAt).toBe("2026-03-01T11:59:30Z");
    expect(of(stream(), stream({ completeAt: null, state: "listing" }))?.completeAt).toBeUndefined();
    expect(of(stream(), stream({ completeAt: null, state: "listing" }))?.synced).toBe(false);
  });
  test("cluster.freshness tells each kind that is served, as of the oldest of its streams", () => {
    const kinds = [
      stream({ kind: "Switch", completeAt: NOW }),
      stream({ kind: "Switch", completeAt: NOW - 30_000 }),
      stream({ kind: "Server", completeAt: NOW }),
      stream({ kind: "Server", completeAt: null, state: "listing" }),
      stream({ kind: "Gone", completeAt: null, state: "gone" }),
      stream({ kind: "*", apiGroup: "*", completeAt: null, state: "retrying" }),
    ];
    const group = "wiring.githedgehog.com";
    expect(of(...kinds)?.freshness).toEqual([
      { group, kind: "Server" },
      { group, kind: "Switch", completeAt: "2026-03-01T11:59:30Z" },
    ]);
    const many = Array.from({ length: 300 }, (_, n) => stream({ kind: `Kind${n}` }));
    expect(of(...many)?.freshness).toHaveLength(200);
  });
  test("cluster.freshness stays as it was while the kinds are not known", () => {
    const before = { cluster: { freshness: [{ group: "", kind: "Pod", completeAt: "2026-03-01T11:00:00Z" }] } };
    const cluster = { streams: [], error: null, discovered: false, impersonated: "" };
    expect(fabricStatusOf(facts({ cluster }), before).cluster?.freshness).toEqual(before.cluster.freshness);
  });

  test("whatever the facts: Ready is there once, and Reconciling and Stalled exclude each other and Ready=True", () => {
    const error = fc.option(
      fc.record({ code: fc.constantFrom("A", "B"), message: fc.string(), stalled: fc.boolean() }),
    );
    const streams = fc.array(
      fc
        .record({
          state: fc.constantFrom<StreamStatus["state"]>(
            "starting",
            "listing",
            "watching",
            "retrying",
            "forbidden",
            "gone",
          ),
          completeAt: fc.option(fc.integer({ min: NOW - 200_000, max: NOW })),
        })
        .map((changes) => stream(changes)),
      { maxLength: 4 },
    );
    const anyFacts = fc.record({
      suspended: fc.boolean(),
      judged: fc.boolean(),
      actedGeneration: fc.constantFrom(null, 2, 3),
      invalidSpec: error,
      store: fc.record({ asked: fc.boolean(), error }),
      storeLoss: fc.option(fc.record({ streams: fc.nat(3), open: fc.nat(3) })),
      cluster: fc.option(
        fc.record({ streams, error, discovered: fc.boolean(), impersonated: fc.constantFrom("", "a/b") }),
      ),
      git: fc.option(
        fc.record({ error, revision: fc.constantFrom("", "main@sha1:aa"), invalidDocuments: fc.nat(2) }).map(git),
      ),
      hasGit: fc.boolean(),
    });
    fc.assert(
      fc.property(anyFacts, (changes) => {
        const given = facts(changes);
        const byType = new Map(conditionsOf(given).map((condition) => [condition.type, condition.status]));
        const ready = byType.get("Ready");
        const stalled = byType.has("Stalled");
        const reconciling = byType.has("Reconciling");
        expect(byType.size).toBe(conditionsOf(given).length);
        expect(stalled && reconciling).toBe(false);
        if (ready === "True") expect([stalled, reconciling]).toEqual([false, false]);
        if (ready !== "True" && !given.suspended) expect(stalled || reconciling).toBe(true);
        for (const { reason, message } of conditionsOf(given)) {
          expect(reason).toMatch(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/);
          expect(typeof message).toBe("string");
        }
      }),
    );
  });
});

describe("commits that Postgres lost", () => {
  const lost = (foundAt: number, repaired: boolean) => stream({ loss: { foundAt, repaired } });

  test.each([
    ["nothing was ever lost", [stream()], 0, null],
    ["all of it is lost", [lost(10, false), lost(10, false), stream()], 0, { streams: 2, open: 2 }],
    ["some of it is there again", [lost(10, false), lost(10, true)], 0, { streams: 2, open: 1 }],
    ["told, and some of it is still lost", [lost(10, false), lost(10, true)], 11, { streams: 2, open: 1 }],
    ["repaired before anybody was told", [lost(10, true), lost(10, true)], 9, { streams: 2, open: 0 }],
    ["repaired and told", [lost(10, true), lost(10, true)], 10, null],
    ["lost again, after the first time was told", [lost(10, true), lost(20, false)], 15, { streams: 1, open: 1 }],
  ])("are to be told until they are there again and a status has told: %s", (_, streams, toldAt, expected) => {
    expect(storeLossOf(streams, toldAt)).toEqual(expected);
  });

  test("are told with how many streams went back, and how many are not where they were", () => {
    const said = (storeLoss: FabricFacts["storeLoss"]) =>
      conditionsOf(facts({ storeLoss })).find(({ type }) => type === "StoreReady")?.message;
    expect(said({ streams: 24, open: 3 })).toBe(
      "Postgres had lost commits, as a replica has that was behind when it was promoted: 24 streams went back to where it stands; 3 of them are not where they were yet",
    );
    expect(said({ streams: 1, open: 0 })).toContain("1 stream went back to where it stands; all of it is there again");
  });
});

test("a volatile path that is taken back in vain is named", () => {
  const cluster = { streams: [stream()], error: null, discovered: true, impersonated: "" };
  const said = (changes: Partial<FabricFacts["cluster"]>) =>
    conditionsOf(facts({ cluster: { ...cluster, ...changes } })).find(({ type }) => type === "ClusterReady")?.message;
  expect(said({})).toBe("1 kind watched");
  expect(said({ idleTakeBacks: ["/status/hartbeat (Agent)"] })).toBe(
    "1 kind watched; spec.cluster.volatilePaths takes back what makes history anyhow: /status/hartbeat (Agent)",
  );
});
