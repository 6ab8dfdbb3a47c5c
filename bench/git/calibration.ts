import { createHash } from "node:crypto";

/** ms of CPU that a fixed piece of work takes now: maps, texts and hashes, as reading manifests is made of. */
export function calibrate(): number {
  const begun = process.cpuUsage();
  const counts = new Map<string, number>();
  for (let index = 0; index < 300_000; index += 1) {
    const key = `key-${index % 5_000}`;
    counts.set(key, (counts.get(key) ?? 0) + key.length);
  }
  const block = Buffer.alloc(1_000_000, JSON.stringify([...counts]));
  for (let round = 0; round < 40; round += 1) createHash("sha256").update(block).digest();
  const { user, system } = process.cpuUsage(begun);
  return (user + system) / 1_000;
}
