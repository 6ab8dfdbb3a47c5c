import { setTimeout as delay } from "node:timers/promises";
import { TestEnvironment } from "jest-environment-node";

/** What a suite must not leave behind: it would keep the program from ending, and disturbs the suites after it. */
const HANDLES = ["ProcessWrap", "TCPServerWrap", "TCPSocketWrap", "TLSWrap", "Timeout", "MessagePort", "Immediate"];

/** Sockets and processes take a moment from being told to end to having ended; those that fetch keeps for another request, 4 s (ms). */
const GRACE_MS = 10_000;

/** Node's environment; besides, a suite that leaves an open handle fails. Handles that are unref'd do not count. */
export default class LeakDetectingEnvironment extends TestEnvironment {
  #before = new Map<string, number>();

  override async setup(): Promise<void> {
    await super.setup();
    this.#before = activeHandles();
  }

  override async teardown(): Promise<void> {
    const deadline = performance.now() + GRACE_MS;
    let leaks = this.#leaks();
    while (leaks.length > 0 && performance.now() < deadline) {
      await delay(20);
      leaks = this.#leaks();
    }
    await super.teardown();
    if (leaks.length > 0) {
      throw new Error(
        `the suite ended and left open: ${leaks.join(", ")}. Close what it opened, in afterAll at the latest.`,
      );
    }
  }

  #leaks(): string[] {
    const leaks: string[] = [];
    for (const [type, count] of activeHandles()) {
      const more = count - (this.#before.get(type) ?? 0);
      if (more > 0) leaks.push(`${more} ${type}`);
    }
    return leaks;
  }
}

function activeHandles(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const type of process.getActiveResourcesInfo()) {
    if (HANDLES.includes(type)) counts.set(type, (counts.get(type) ?? 0) + 1);
  }
  return counts;
}
