/**
 * Writes the files that are made from the code; with `--check` it only says which of them are not as the code would make them, and ends
 * with 1 when there is one.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { format } from "prettier";
import { CRD_PATH, generateCrd } from "../src/api/crd.ts";
import { DEVICE_STATE_CRD_PATH, generateDeviceStateCrd } from "../src/api/device-state.ts";
import { schemaDocument } from "../src/store/schema/document.ts";
import { sqlstateDocument } from "../src/store/sqlstate-document.ts";

const root = dirname(import.meta.dirname);

/** Path from the root of the checkout → what makes its text. */
const GENERATED: Readonly<Record<string, () => string | Promise<string>>> = {
  [CRD_PATH]: generateCrd,
  [DEVICE_STATE_CRD_PATH]: generateDeviceStateCrd,
  "docs/schema.md": async () => format(await schemaDocument(), { parser: "markdown", printWidth: 120 }),
  "docs/sqlstate.md": () => format(sqlstateDocument(), { parser: "markdown", printWidth: 120 }),
};

const checkOnly = process.argv.includes("--check");
let stale = 0;
for (const [path, make] of Object.entries(GENERATED)) {
  const file = join(root, path);
  const text = await make();
  if (text === (await readFile(file, "utf8").catch(() => ""))) continue;
  stale++;
  if (checkOnly) {
    console.error(`${path} is not what the code says: run \`npm run generate\` and commit it`);
  } else {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
    console.log(`wrote ${path}`);
  }
}
process.exitCode = checkOnly && stale > 0 ? 1 : 0;
