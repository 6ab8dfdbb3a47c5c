/**
 * Changes objects, PER_SECOND of them (0: as fast as CLIENTS requests at once allow), for SECONDS; prints how many it made.
 * `node update.ts URL CA_FILE TOKEN SECONDS PER_SECOND CLIENTS PATH…`: paths of objects, changed in turn.
 */
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { Agent } from "undici";

const [url = "", caFile = "", token = "", seconds = "10", perSecond = "0", clients = "1", ...paths] =
  process.argv.slice(2);
const agent = new Agent({ connect: { ca: readFileSync(caFile) } });
const begun = performance.now();
const end = begun + Number(seconds) * 1_000;
let next = 0;
let made = 0;

async function worker(): Promise<void> {
  while (performance.now() < end) {
    const index = next++;
    if (Number(perSecond) > 0) {
      const due = begun + (index * 1_000) / Number(perSecond);
      if (due >= end) return;
      await delay(Math.max(0, due - performance.now()));
    }
    const answer = await agent.request({
      origin: url,
      path: paths[index % paths.length] ?? "",
      method: "PATCH",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/merge-patch+json" },
      body: JSON.stringify({ spec: { revision: index } }),
    });
    const text = await answer.body.text();
    if (answer.statusCode !== 200) throw new Error(`${answer.statusCode} ${text.slice(0, 300)}`);
    made += 1;
  }
}

await Promise.all(Array.from({ length: Number(clients) }, worker));
console.log(JSON.stringify({ made, seconds: (performance.now() - begun) / 1_000 }));
await agent.destroy();
