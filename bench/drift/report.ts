/** One figure beside its goal. */
interface Result {
  readonly what: string;
  readonly goal: string;
  readonly measured: string;
  readonly holds: boolean;
}

/** Figures as they are measured; each is told at once, all of them in a table at the end. */
export class Report {
  readonly #results: Result[] = [];

  tell(what: string, goal: string, measured: string, holds: boolean): void {
    this.#results.push({ what, goal, measured, holds });
    console.error(`${holds ? "holds" : "DOES NOT HOLD"}: ${what}: ${measured} (goal ${goal})`);
  }

  /** Of no goal: why a figure is what it is. */
  remark(text: string): void {
    console.error(`  ${text}`);
  }

  get holds(): boolean {
    return this.#results.every(({ holds }) => holds);
  }

  table(): string {
    const lines = this.#results.map(
      ({ what, goal, measured, holds }) => `| ${what} | ${goal} | ${measured} | ${holds ? "yes" : "no"} |`,
    );
    return ["| what | goal | measured | holds |", "|---|---|---|---|", ...lines].join("\n");
  }
}

export function percentile(values: readonly number[], p: number): number {
  return values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * p))] ?? NaN;
}
