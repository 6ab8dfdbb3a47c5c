/** What a command knows of the world: handed in, so that it holds no global. */
export interface Shell {
  /** Aborts on the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
  /** Writes to standard output: the answer, and nothing else. */
  out(text: string): void;
  /** Writes to standard error: everything else. */
  err(text: string): void;
}

/** One JSON value on standard output, for machines. */
export function outJson(shell: Shell, value: unknown): void {
  shell.out(`${JSON.stringify(value, null, 2)}\n`);
}
