/** `12s`, `5m`, `3h`, `9d`, as kubectl tells ages. */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}

/** As of when, in words: `5s ago`, or `never`. `at` in ms since the epoch or RFC 3339. */
export function ago(at: number | string | null, now: number): string {
  if (at === null || at === "") return "never";
  return `${age(now - (typeof at === "number" ? at : Date.parse(at)))} ago`;
}

/** As much of a commit as tells it apart. */
export function shortCommit(commit: string): string {
  return commit.replace(/\b([0-9a-f]{10})[0-9a-f]{30,54}\b/g, "$1");
}

/** `3 drifted, 2 missing`: what is not zero, the largest first; `none` where everything is. */
export function tally(counts: Readonly<Record<string, number>>): string {
  const entries = Object.entries(counts).filter(([, count]) => count > 0);
  if (entries.length === 0) return "none";
  return entries
    .sort((a, b) => b[1] - a[1])
    .map(([word, count]) => `${count} ${word.replaceAll("_", " ")}`)
    .join(", ");
}

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
