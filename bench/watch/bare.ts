/**
 * The baseline: one WatchList a kind over undici, lines split, parsed and counted, nothing else. `node bare.ts URL CA_FILE TOKEN http1|http2
 * PATH…`
 */
import { readFileSync } from "node:fs";
import { Agent } from "undici";

const [url = "", caFile = "", token = "", protocol = "http1", ...paths] = process.argv.slice(2);
const allowH2 = protocol === "http2";
const agent = new Agent({
  connect: { ca: readFileSync(caFile) },
  bodyTimeout: 0,
  allowH2,
  maxConcurrentStreams: 1_000,
});
const query = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";

async function count(path: string): Promise<number> {
  const { body } = await agent.request({
    origin: url,
    path: `${path}?${query}`,
    method: "GET",
    headers: { authorization: `Bearer ${token}`, accept: "application/json" },
  });
  let objects = 0;
  let rest = "";
  body.setEncoding("utf8");
  for await (const text of body as AsyncIterable<string>) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const event = JSON.parse(line) as { type: string };
      if (event.type === "BOOKMARK") return objects;
      objects += 1;
    }
  }
  throw new Error(`the stream ended early after ${objects} objects, with ${JSON.stringify(rest.slice(0, 300))}`);
}

const counts = await Promise.all(paths.map(count));
console.log(
  JSON.stringify({
    objects: counts.reduce((a, b) => a + b, 0),
    seconds: Math.round(performance.now()) / 1_000,
    rssMiB: Math.round(process.resourceUsage().maxRSS / 1024),
  }),
);
await agent.destroy();
