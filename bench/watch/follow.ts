/**
 * A bare watcher: notes when each event is there, parsed. Ends after SECONDS and prints `{resourceVersion: ms since the epoch}`.
 * `node follow.ts URL CA_FILE TOKEN SECONDS PATH…`
 */
import { readFileSync } from "node:fs";
import { Agent } from "undici";

const [url = "", caFile = "", token = "", seconds = "10", ...paths] = process.argv.slice(2);
const agent = new Agent({ connect: { ca: readFileSync(caFile) }, bodyTimeout: 0 });
const seen: Record<string, number> = {};
const end = AbortSignal.timeout(Number(seconds) * 1_000);

async function follow(path: string): Promise<void> {
  const { body } = await agent.request({
    origin: url,
    path: `${path}?watch=1&resourceVersion=0`,
    method: "GET",
    signal: end,
    headers: { authorization: `Bearer ${token}`, accept: "application/json" },
  });
  let rest = "";
  body.setEncoding("utf8");
  try {
    for await (const text of body as AsyncIterable<string>) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const event = JSON.parse(line) as { type: string; object: { metadata: { resourceVersion: string } } };
        if (event.type === "MODIFIED") {
          seen[event.object.metadata.resourceVersion] = performance.timeOrigin + performance.now();
        }
      }
    }
  } catch (error) {
    if (!end.aborted) throw error;
  }
}

await Promise.all(paths.map(follow));
console.log(JSON.stringify(seen));
await agent.destroy();
