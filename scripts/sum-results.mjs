/**
 * `sum-results.mjs DIRECTORY [FAILED]`: prints `N passed, N failed` over the jest runs that left their counts in the directory, plus so many
 * failures of other steps. Skipped tests count as failed: nothing here may be skipped. Ends with 1 when something failed or nothing ran.
 *
 * Plain JavaScript: it must also run when `npm ci` failed, on whatever Node the machine has.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const [directory = ".", others = "0"] = process.argv.slice(2);
let passed = 0;
let failed = Number(others);
for (const name of readdirSync(directory)) {
  const counts = JSON.parse(readFileSync(join(directory, name), "utf8"));
  passed += counts.passed;
  failed += counts.failed + counts.skipped;
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
