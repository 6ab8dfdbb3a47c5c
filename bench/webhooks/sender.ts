/** Sends 1,000 badly signed deliveries a second, whatever the answers take: `sender.ts URL SECONDS`. */
import { Agent, request } from "undici";

const [, , url = "", seconds = "1"] = process.argv;
const EVERY_MS = 10;
const A_TIME = 10;
const agent = new Agent({ connections: 256, pipelining: 1 });
const body = JSON.stringify({ ref: "refs/heads/main", commits: "x".repeat(2_000) });
const times: number[] = [];

async function send(fabric: string): Promise<void> {
  const begun = performance.now();
  const answer = await request(`${url}/${fabric}`, {
    dispatcher: agent,
    method: "POST",
    headers: {
      "content-type": "application/json",
      "x-github-event": "push",
      "x-hub-signature-256": `sha256=${"0".repeat(64)}`,
    },
    body,
  });
  await answer.body.dump();
  if (answer.statusCode !== 401) throw new Error(`answered ${answer.statusCode}`);
  times.push(performance.now() - begun);
}

await Promise.all(Array.from({ length: 128 }, () => send("lab")));
times.length = 0;
console.log("begins");
const sent: Promise<void>[] = [];
const begun = performance.now();
const total = (Number(seconds) * 1_000 * A_TIME) / EVERY_MS;
while (sent.length < total) {
  const due = Math.min(total, (Math.floor((performance.now() - begun) / EVERY_MS) + 1) * A_TIME);
  while (sent.length < due) sent.push(send(sent.length % 2 === 0 ? "lab" : "nowhere"));
  await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
}
await Promise.all(sent);
times.sort((a, b) => a - b);
console.log(JSON.stringify({ answered: times.length, p99: times[Math.floor(times.length * 0.99)] ?? 0 }));
await agent.close();
