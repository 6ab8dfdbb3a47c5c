import { fabricSpec } from "../../src/api/fabric.ts";
import { reducePolicy } from "../../src/controller/policy.ts";
import type { StreamStatus } from "../../src/core/streams.ts";

const stream = (kind: string, completeAt: number | null): StreamStatus => ({
  ...{ scope: kind, apiGroup: "a.example", kind, plural: kind.toLowerCase(), state: "watching" as const },
  ...{ reason: "Watching", message: "", completeAt, lastEventAt: null },
});
const ALL = { git: true, discovered: true, streams: [stream("Switch", 1)] };
const git = { url: "https://git.example.com/a.git" };

test("an empty spec has the API server decide, reports nothing extra, and declares nothing", () => {
  expect(reducePolicy(fabricSpec.parse({}), { ...ALL, git: false })).toEqual({
    ...{ driftMode: "server_side", reportExtra: false, direction: "observe", ignore: [], hasGit: false },
    unread: { git: false, cluster: false, kinds: [] },
  });
});

test("drift is told as the spec asks", () => {
  const ignore = [{ target: { kind: "Switch", matchLabels: { role: "leaf" } }, paths: ["/spec/a"], managers: ["hpa"] }];
  const spec = fabricSpec.parse({ git, drift: { mode: "Disabled", extra: "Report", ignore } });
  expect(reducePolicy(spec, ALL)).toMatchObject({
    ...{ driftMode: "disabled", reportExtra: true, hasGit: true },
    ignore: [{ kind: "Switch", labels: { role: "leaf" }, paths: ["/spec/a"], managers: ["hpa"] }],
  });
});

test("what was not read is unread: nothing is concluded from it", () => {
  const spec = fabricSpec.parse({ git });
  expect(reducePolicy(spec, ALL).unread).toEqual({ git: false, cluster: false, kinds: [] });
  expect(reducePolicy(spec, { ...ALL, git: false }).unread?.git).toBe(true);
  expect(reducePolicy(spec, { ...ALL, discovered: false }).unread?.cluster).toBe(true);
  const streams = [stream("Switch", 1), stream("Server", null), stream("Server", null)];
  expect(reducePolicy(spec, { ...ALL, streams }).unread?.kinds).toEqual(["Server.a.example"]);
});

test("a kind that cannot be watched is told with the reason, one that reconnects is not", () => {
  const spec = fabricSpec.parse({ git });
  const of = (state: StreamStatus["state"]) => ({ ...stream("Switch", 1), state });
  const unwatched = (state: StreamStatus["state"]) =>
    reducePolicy(spec, { ...ALL, streams: [of(state)] }).unread?.unwatched;
  expect(unwatched("forbidden")).toEqual({ "Switch.a.example": "its kind may not be listed and watched" });
  expect(unwatched("gone")).toEqual({ "Switch.a.example": "the cluster does not serve its kind any more" });
  expect([unwatched("retrying"), unwatched("watching"), unwatched("listing")]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

test("the same facts give the same text, so that rows are not judged twice", () => {
  const spec = fabricSpec.parse({ git });
  const streams = [stream("B", null), stream("A", null)];
  expect(JSON.stringify(reducePolicy(spec, { ...ALL, streams }))).toBe(
    JSON.stringify(reducePolicy(spec, { ...ALL, streams: streams.toReversed() })),
  );
});
