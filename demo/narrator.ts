import { performance } from "node:perf_hooks";
import { messageOf } from "../src/core/errors.ts";

/** Tells what the demo does, step by step with times, and counts the checks that each step makes of itself. */
export interface Narrator {
  /** Runs one numbered step and prints how long it took. A step that throws is a failed check; the demo goes on to clean up. */
  step<T>(title: string, work: () => Promise<T>): Promise<T>;
  /** One line of what is happening. */
  say(line: string): void;
  /** Output of a tool or of the database, set apart. */
  show(text: string): void;
  /** One thing that must be true now. Throws when it is not: what follows would make no sense. */
  check(what: string, holds: boolean): void;
  summary(): { passed: number; failed: number };
}

export function createNarrator(write: (text: string) => void, colour: boolean): Narrator {
  const started = performance.now();
  const paint = (code: number, text: string) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  const seconds = (since: number) => `${((performance.now() - since) / 1000).toFixed(1)} s`;
  let steps = 0;
  let passed = 0;
  let failed = 0;

  return {
    async step(title, work) {
      const since = performance.now();
      steps += 1;
      write(`\n${paint(1, `${steps}. ${title}`)}\n`);
      try {
        const result = await work();
        write(`   ${paint(2, `${seconds(since)}, ${seconds(started)} since the start`)}\n`);
        return result;
      } catch (error) {
        if (!(error instanceof CheckFailed)) {
          failed += 1;
          write(`   ${paint(31, "✗")} ${messageOf(error)}\n`);
        }
        throw error;
      }
    },
    say(line) {
      write(`   ${line}\n`);
    },
    show(text) {
      const lines = text.replace(/\n+$/, "").split("\n");
      write(lines.map((line) => `     ${line}\n`).join(""));
    },
    check(what, holds) {
      write(`   ${holds ? paint(32, "✓") : paint(31, "✗")} ${what}\n`);
      if (holds) {
        passed += 1;
        return;
      }
      failed += 1;
      throw new CheckFailed(what);
    },
    summary: () => ({ passed, failed }),
  };
}

/** A check of the demo did not hold. It was printed already. */
export class CheckFailed extends Error {
  constructor(what: string) {
    super(`check failed: ${what}`);
    this.name = "CheckFailed";
  }
}
