/** Where long work tells how it goes, one line at a time. */
export type Progress = (line: string) => void;

/** To standard error, so that the output of a command stays its own. */
export const progressToStderr: Progress = (line) => void process.stderr.write(`${line}\n`);

/** How often long work says that it is still at it, ms. */
const EVERY_MS = 10_000;

/** Says what is done at once, then again with the time it has taken until it is done, then that it is done. */
export async function withProgress<T>(progress: Progress, what: string, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const seconds = () => `${Math.round((performance.now() - start) / 1000)} s`;
  progress(`${what} …`);
  const timer = setInterval(() => progress(`${what} … ${seconds()}`), EVERY_MS);
  timer.unref();
  try {
    const result = await work();
    progress(`${what}: done in ${seconds()}`);
    return result;
  } finally {
    clearInterval(timer);
  }
}
