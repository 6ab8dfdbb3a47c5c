import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const checkout = join(import.meta.dirname, "../..");

/** What the parts of the small tree below may be imported for. */
const TARGETS: Readonly<Record<string, string>> = {
  "src/core/row.ts": "export const row = 1;\nexport type Row = number;\n",
  "src/store/pool.ts": "export const pool = 1;\nexport type Pool = number;\n",
  "src/cli/run.ts": "export const run = 1;\n",
  "src/http/server.ts": "export const server = 1;\n",
  "src/sources/git/tree.ts": "export const tree = 1;\n",
  "src/sources/cluster/watch.ts": "export const watch = 1;\n",
  "src/controller/fabric.ts": "export const fabric = 1;\n",
};

/** A file that must be refused, its text, and the words of the refusal. */
const FORBIDDEN: readonly (readonly [string, string, string])[] = [
  ["src/core/a.ts", 'export { pool } from "../store/pool.ts";\n', "core may not import store"],
  ["src/core/b.ts", 'import { readFile } from "node:fs/promises";\nexport const b = readFile;\n', "core is pure"],
  ["src/core/c.ts", 'import { z } from "zod";\nexport const c = z;\n', "core is pure"],
  [
    "src/sources/git/d.ts",
    'import type { Pool } from "../../store/pool.ts";\nexport type D = Pool;\n',
    "not import store",
  ],
  ["src/sources/git/e.ts", 'export { watch } from "../cluster/watch.ts";\n', "not import sources/cluster"],
  ["src/pump/f.ts", 'export const f = () => import("../store/pool.ts");\n', "pump may not import store"],
  ["src/controller/g.ts", 'export * from "../store/pool.ts";\n', "controller may not import store"],
  ["src/controller/h.ts", 'export { server } from "../http/server.ts";\n', "controller may not import http"],
  ["src/http/webhooks/i.ts", 'export { pool } from "../../store/pool.ts";\n', "http may not import store"],
  ["src/http/j.ts", 'export { run } from "../cli/run.ts";\n', "http may not import cli"],
  ["src/new-folder/k.ts", 'export { row } from "../core/row.ts";\n', "new-folder may not import core"],
  ["src/cli/l.ts", 'export type L = import("../../test/support/x.ts").X;\n', "which is outside of it"],
  ["src/cli/m.ts", "export const m = (name: string) => import(name);\n", "cannot be checked"],
  ["src/pump/n.ts", "export function n() {\n  Promise.resolve(1);\n}\n", "no-floating-promises"],
  ["src/pump/o.ts", "export const o: any = 1;\n", "no-explicit-any"],
  ["src/pump/p.ts", '// @ts-ignore\nexport const p: string = "1";\n', "ban-ts-comment"],
  ["src/pump/q.ts", "export const q = process.env;\n", "no-process-env"],
];

const ALLOWED: Readonly<Record<string, string>> = {
  "src/store/a.ts": 'export { row } from "../core/row.ts";\nexport { pool } from "./pool.ts";\n',
  "src/controller/b.ts": 'export { tree } from "../sources/git/tree.ts";\n',
  "src/http/webhooks/c.ts":
    'export { fabric } from "../../controller/fabric.ts";\nexport { server } from "../server.ts";\n',
  "src/cli/d.ts": 'export { pool } from "../store/pool.ts";\nexport const later = () => import("../http/server.ts");\n',
  "src/main.ts": 'import { run } from "./cli/run.ts";\nexport default run;\n',
  "src/core/e.ts": 'export { createHash } from "node:crypto";\n',
};

/** `file rule message` of everything that the project's own lint configuration finds in these files. */
async function lint(files: Readonly<Record<string, string>>): Promise<string[]> {
  const directory = await mkdtemp(join(tmpdir(), "fabric-sync-lint-"));
  try {
    for (const path of [".oxlintrc.json", "tsconfig.json", "scripts/lint"]) {
      await cp(join(checkout, path), join(directory, path), { recursive: true });
    }
    await symlink(join(checkout, "node_modules"), join(directory, "node_modules"));
    for (const [path, text] of Object.entries(files)) {
      await mkdir(join(directory, dirname(path)), { recursive: true });
      await writeFile(join(directory, path), text);
    }
    const oxlint = join(checkout, "node_modules/oxlint/bin/oxlint");
    const output = await new Promise<string>((resolve) => {
      // It ends with 1 when it finds something.
      execFile(process.execPath, [oxlint, "--format=json", "src"], { cwd: directory }, (_error, stdout) =>
        resolve(stdout),
      );
    });
    const { diagnostics } = JSON.parse(output) as {
      diagnostics: { filename: string; code?: string; message: string }[];
    };
    return diagnostics.map(({ filename, code = "", message }) => `${filename} ${code} ${message}`);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

let found: readonly string[];
beforeAll(async () => {
  const forbidden = Object.fromEntries(FORBIDDEN.map(([path, text]) => [path, text]));
  found = await lint({ ...TARGETS, ...forbidden, ...ALLOWED });
});

describe("npm run lint", () => {
  it.each(FORBIDDEN)("refuses %s", (path, _text, words) => {
    expect(found).toContainEqual(expect.stringMatching(new RegExp(`^${path} .*${words}`)));
  });

  it("lets pass what the architecture says", () => {
    const allowed = [...Object.keys(ALLOWED), ...Object.keys(TARGETS)];
    expect(found.filter((line) => allowed.some((path) => line.startsWith(`${path} `)))).toEqual([]);
  });
});
