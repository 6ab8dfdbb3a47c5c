import type { Fence } from "../../src/core/ports.ts";
import { Pump } from "../../src/pump/pump.ts";
import { ManifestParser } from "../../src/sources/git/reading/parser.ts";
import type { ParsedBlob } from "../../src/sources/git/reading/parse-messages.ts";
import type { GitSource } from "../../src/sources/git/git-source.ts";
import { POLICY } from "../../test/store/fixture.ts";
import { quiet } from "../../test/sources/git/source-bench.ts";
import type { SourceBench } from "../../test/sources/git/source-bench.ts";
import { change, fill } from "./workload.ts";

/** Files of the repository that all of them read in full. */
const FILES = 20;

export interface ManyFabrics {
  readonly fabrics: number;
  readonly lists: number;
  readonly fetches: number;
  /** Files that the push changed, and files that were parsed for it. */
  readonly changed: number;
  readonly parsed: number;
  /** Of the push, in all tables together: each Fabric has its own. */
  readonly rows: number;
  readonly ms: number;
}

class CountingParser extends ManifestParser {
  parsed = 0;
  override parse(bytes: Buffer, maxDocuments: number): Promise<ParsedBlob> {
    this.parsed += 1;
    return super.parse(bytes, maxDocuments);
  }
}

/** One push to a repository that many Fabrics mirror, each told of it by a webhook of its own. */
export async function manyFabrics(bench: SourceBench, fabrics: number): Promise<ManyFabrics> {
  const { store } = bench.fixture;
  const repository = await bench.server.createRepository();
  await fill(repository, FILES);
  const parser = new CountingParser();
  const stop = new AbortController();
  const sources: GitSource[] = [];
  const fences: Fence[] = [];
  for (let index = 0; index < fabrics; index += 1) {
    const { id } = await store.registerFabric({ namespace: "many", name: `lab-${index}`, uid: `many-${index}` });
    const fence = await store.acquireFence(id, "bench");
    const labels = { namespace: "many", fabric: `lab-${index}` };
    const pump = new Pump({
      labels,
      store,
      fence: () => fence,
      policy: () => POLICY,
      telemetry: { batchApplied: () => undefined, writeRetried: () => undefined },
      logger: quiet,
      signal: stop.signal,
    });
    const dropCursor = (scope: string): Promise<void> => store.dropCursor(fence, "git", scope);
    sources.push(bench.start(repository, { fabricId: id, labels, parser, sink: pump.revisions, dropCursor }).source);
    fences.push(fence);
  }
  await Promise.all(sources.map((source) => source.trigger("git_poll")));

  const commit = await change(repository, FILES, 1);
  const { requests } = bench.server.https;
  requests.length = parser.parsed = 0;
  const begun = performance.now();
  await Promise.all(sources.map((source) => source.trigger("git_webhook")));
  const ms = performance.now() - begun;
  const [row] = await bench.fixture.sql<{ rows: number }>(
    "SELECT count(*)::int AS rows FROM fabric_sync.resource WHERE desired_commit = $1 AND fabric_id = ANY ($2::uuid[])",
    [commit, fences.map(({ fabricId }) => fabricId)],
  );
  const { https } = bench.server;
  const counts = { lists: https.count("ls-refs"), fetches: https.count("fetch"), parsed: parser.parsed };
  stop.abort();
  await parser.close();
  return { fabrics, ...counts, changed: 3, rows: row?.rows ?? 0, ms };
}
