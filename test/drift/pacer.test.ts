import type { Answered } from "../../src/core/ports.ts";
import { AnswerQueue } from "../../src/sources/cluster/drift/answer-queue.ts";
import { DRY_RUN_PACE, Pacer } from "../../src/sources/cluster/drift/pacer.ts";

const NEVER = new AbortController().signal;
const PACE = { concurrency: 4, enough: 60, most: 60 };

/** Time that passes only when everybody waits. */
class Simulation {
  now = 0;
  readonly #due: { readonly at: number; readonly go: () => void }[] = [];

  readonly sleep = (ms: number): Promise<void> =>
    new Promise((resolve) => this.#due.push({ at: this.now + ms, go: resolve }));

  async run(until: Promise<void>): Promise<void> {
    let done = false;
    void until.finally(() => (done = true));
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      if (done) return;
      this.#due.sort((a, b) => a.at - b.at);
      const next = this.#due.shift();
      if (next === undefined) throw new Error("everybody waits for nothing");
      this.now = Math.max(this.now, next.at);
      next.go();
    }
  }
}

/** Asks `count` questions of a server that answers one in `latency(at a time)` ms. */
async function ask(count: number, latency: (running: number, now: number) => number, pace = PACE) {
  const time = new Simulation();
  const pacer = new Pacer(pace, () => time.now, time.sleep);
  const begun: number[] = [];
  let running = 0;
  let most = 0;
  const items = Array.from({ length: count }, (_, index) => index);
  const all = pacer.forEach(items, NEVER, () =>
    pacer.request("apply", NEVER, async () => {
      running += 1;
      most = Math.max(most, running);
      begun.push(time.now);
      await time.sleep(latency(running, time.now));
      running -= 1;
    }),
  );
  await time.run(all);
  return { pacer, begun, most, tookMs: time.now };
}

describe("the pace of dry runs", () => {
  it("is never a burst: two begin a step apart at least", async () => {
    const { begun } = await ask(100, () => 1);
    const gaps = begun.slice(1).map((at, index) => at - (begun[index] ?? 0));
    expect(Math.min(...gaps)).toBeCloseTo(1_000 / PACE.most, 5);
  });

  it("1,000 are asked within 20 s by a server on another machine, some at a time", async () => {
    const { tookMs, most } = await ask(1_000, () => 55);
    // Three keep up with the pace well enough.
    expect(most).toBe(3);
    expect(tookMs).toBeLessThan(20_000);
  });

  it("one at a time where a second would only make the first slower", async () => {
    const { tookMs, pacer } = await ask(1_000, (running) => (running === 1 ? 17 : 17 * running * 1.5));
    expect(pacer.limit).toBeLessThanOrEqual(2);
    expect(tookMs).toBeLessThan(25_000);
  });

  it("a server that slows down for another reason is given pauses, and they end with the reason", async () => {
    const busy = (_running: number, now: number): number => (now > 5_000 && now < 15_000 ? 80 : 10);
    const { begun, pacer } = await ask(1_000, busy);
    const during = begun.filter((at) => at > 10_000 && at < 15_000).length;
    // 5 s of answers that take 80 ms, each with a pause of 40 ms after it; without pauses there would be 62.
    expect(during).toBeLessThanOrEqual(43);
    expect(pacer.rest).toBe(0);
  });

  it("what fails ends it after what is under way, and nothing waits for ever", async () => {
    const pacer = new Pacer({ concurrency: 2, enough: Infinity, most: Infinity });
    const asked: number[] = [];
    const all = pacer.forEach([1, 2, 3, 4, 5], NEVER, (item) =>
      pacer.request("apply", NEVER, async () => {
        asked.push(item);
        if (item === 2) throw new Error("away");
        await Promise.resolve();
      }),
    );
    await expect(all).rejects.toThrow("away");
    expect(asked).not.toContain(5);
    expect(await pacer.request("apply", NEVER, () => Promise.resolve("answer"))).toBe("answer");
  });

  it("whoever waits for a turn is let go when it ends", async () => {
    const stop = new AbortController();
    const pacer = new Pacer({ concurrency: 1, enough: 1, most: 1 });
    await pacer.request("apply", stop.signal, () => Promise.resolve());
    const waiting = pacer.request("apply", stop.signal, () => Promise.resolve());
    stop.abort(new Error("stopped"));
    await expect(waiting).rejects.toThrow("stopped");
  });
});

it("a server that keeps up with the pace is asked for one at a time", async () => {
  const { most, tookMs } = await ask(1_000, () => 15);
  expect(most).toBe(1);
  expect(tookMs).toBeLessThan(20_000);
});

it("a server that has time to spare is asked more often, one at a time, and keeps half of its time", async () => {
  const { most, tookMs, begun } = await ask(1_000, () => 5, DRY_RUN_PACE);
  expect(most).toBe(1);
  expect(tookMs).toBeLessThan(10_500);
  const later = begun.filter((at) => at > 5_000 && at <= 6_000).length;
  expect(later).toBeGreaterThan(95);
  expect(later).toBeLessThanOrEqual(100);
});

it("answers that vary by themselves are no sign of a busy server", async () => {
  // Most between 35 and 70 ms: one at a time it would take 50 s.
  let seed = 7_919;
  const chance = (): number => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31;
  const varied = (): number => Math.exp(0.3 * Math.sqrt(-2 * Math.log(chance() + 1e-12)) * Math.cos(6.283 * chance()));
  const { tookMs } = await ask(1_000, () => 50 * varied(), DRY_RUN_PACE);
  expect(tookMs).toBeLessThan(24_000);
});

it("two at a time that were too many once are tried less and less often", async () => {
  const { begun, tookMs } = await ask(1_000, (running) => 25 * running, DRY_RUN_PACE);
  const together = begun.filter((at, index) => at - (begun[index - 1] ?? -Infinity) < 24).length;
  expect(together).toBeLessThan(150);
  expect(tookMs).toBeLessThan(27_500);
});

describe("answers on their way into the table", () => {
  const answer = {} as Answered;

  it("those that come together are written together, and drain waits for nobody", async () => {
    const written: number[] = [];
    const queue = new AnswerQueue(async (answers) => {
      written.push(answers.length);
      await Promise.resolve();
    });
    for (let count = 0; count < 30; count += 1) await queue.add(answer);
    expect(written).toEqual([]);
    await queue.drain();
    expect(written).toEqual([30]);
  });

  it("a table that is behind holds up who adds more, and what a write throws reaches them", async () => {
    const table = Promise.withResolvers<void>();
    const queue = new AnswerQueue(async () => {
      await table.promise;
      throw new Error("full");
    });
    let added = 0;
    const adding = (async () => {
      for (; added < 1_000; added += 1) await queue.add(answer);
    })();
    table.resolve();
    await expect(adding).rejects.toThrow("full");
    expect(added).toBeLessThan(400);
    await expect(queue.drain()).rejects.toThrow("full");
  });
});
