import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** Leaves the counts of a run as a file in `directory`, for `scripts/sum-results.mjs`. */
export default class ResultsReporter {
  #directory;

  constructor(_globalConfig, { directory }) {
    this.#directory = directory;
  }

  onRunComplete(_contexts, results) {
    const counts = {
      passed: results.numPassedTests,
      // A suite that could not even be loaded has no failed tests, and passed nothing.
      failed: results.numFailedTests + results.numRuntimeErrorTestSuites,
      skipped: results.numPendingTests + results.numTodoTests,
    };
    writeFileSync(join(this.#directory, `${randomUUID()}.json`), JSON.stringify(counts));
  }
}
