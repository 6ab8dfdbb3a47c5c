import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { createProgram } from "../../src/cli/program.ts";
import { fabricSync, widthOf } from "./support/program.ts";

const DATABASE = { DATABASE_URL: "postgres://anna:geheim@127.0.0.1:1/fabric" };

test.each([
  [["--help"], /^Usage: fabric-sync/],
  [["db", "--help"], /^Usage: fabric-sync db/],
  [["explain", "--help"], /^Usage: fabric-sync explain/],
])("%j prints help on standard output and ends with 0", async (args, expected) => {
  const { code, stdout, stderr } = await fabricSync(args);
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(expected);
  expect(widthOf(stdout)).toBeLessThanOrEqual(100);
});

test("--version prints the package's version", async () => {
  const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
  expect(await fabricSync(["--version"])).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: "" });
});

test.each<[string[], RegExp]>([
  [["stats"], /unknown command 'stats'\n\(Did you mean status\?\)/],
  [["db", "migrat"], /unknown command 'migrat'/],
  [["status", "--jsn"], /unknown option '--jsn'/],
  [["status", "lab"], /give the Fabric as namespace\/name/],
  [["status", "lab/one", "two"], /too many arguments/],
  [["explain", "lab/one"], /missing required argument 'kind\/name'/],
  [["explain", "lab/one", "VPC"], /give the resource as KIND\/NAME/],
  [["explain", "lab/one", "VPC/web", "--events", "-1"], /give a whole number/],
  [["db", "rollback"], /required option '--to <version>'/],
  [["db", "rollback", "--to", "two"], /give a whole number/],
  [["sync"], /required option '--once'/],
  [["dead-letter", "drop", "lab/one"], /say which: --id, --kind, --name, or --all/],
  [["dead-letter", "drop", "lab/one", "--all", "--kind", "VPC"], /--all does not go with/],
])("%j is wrong usage: 64, a sentence, and nothing on standard output", async (args, expected) => {
  const { code, stdout, stderr } = await fabricSync(args, DATABASE);
  expect([code, stdout]).toEqual([64, ""]);
  expect(stderr).toMatch(/^fabric-sync: /);
  expect(stderr).toMatch(expected);
});

test.each<[string[]]>([[[]], [["db"]], [["dead-letter"]]])(
  "%j alone tells its commands, and ends with 64",
  async (args) => {
    const { code, stderr } = await fabricSync(args);
    expect(code).toBe(64);
    expect(stderr).toContain("Commands:");
  },
);

test("a wrong configuration names every wrong value at once, and ends with 64 before anything is connected", async () => {
  const { code, stdout, stderr } = await fabricSync(["run", "--log-level", "loud"], {
    DATABASE_URL: "mysql://anna:geheim@db/fabric",
    FABRIC_SYNC_LISTEN: "80a",
    FABRIC_SYNC_NAMESPACES: "No_Such",
  });
  expect([code, stdout]).toEqual([64, ""]);
  for (const name of ["DATABASE_URL", "KUBECONFIG", "FABRIC_SYNC_LISTEN", "FABRIC_SYNC_NAMESPACES", "--log-level"]) {
    expect(stderr).toMatch(new RegExp(`^  ${name} `, "m"));
  }
  expect(stderr).not.toContain("geheim");
});

test.each<[string[]]>([
  [["status"]],
  [["explain", "lab/one", "VPC/web"]],
  [["dead-letter", "list"]],
  [["dead-letter", "drop", "lab/one", "--all"]],
  [["db", "migrate"]],
  [["db", "health", "--json"]],
])("%j without a database ends with 2 and says why, without the password", async (args) => {
  const { code, stdout, stderr } = await fabricSync(args, DATABASE);
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toMatch(/^fabric-sync: the database says: .*ECONNREFUSED.* \(StoreUnavailable\)\n$/);
  expect(stderr).not.toContain("geheim");
});

test("docs/cli.md names every command and every flag, and no other", () => {
  const text = readFileSync(new URL("../../docs/cli.md", import.meta.url), "utf8");
  const shell = { signal: new AbortController().signal, out: () => undefined, err: () => undefined };
  const commands = leaves(createProgram("0", shell, () => undefined));
  const documented = [...text.matchAll(/^### `fabric-sync (.*)`$/gm)].map(([, usage]) => usage ?? "");
  expect(documented).toEqual(commands.map(usageOf));
  for (const command of commands) {
    const [, section = ""] = text.split(`### \`fabric-sync ${usageOf(command)}\``);
    const flags = new Set([...(section.split(/^##/m)[0] ?? "").matchAll(/^- `(--[\w-]+)/gm)].map(([, flag]) => flag));
    const settings = [
      "--database-url",
      "--kubeconfig",
      "--namespaces",
      "--listen",
      "--cache-dir",
      "--cache-bytes",
      "--log-level",
    ];
    const own = command.options
      .map(({ long }) => long)
      .filter((flag) => ![...settings, "--pod-namespace", "--pod-name"].includes(flag ?? ""));
    expect([...flags].sort()).toEqual(own.sort());
  }
});

function leaves(command: Command): Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
}

function usageOf(command: Command): string {
  const path = [command.name()];
  for (let up = command.parent; up?.parent; up = up.parent) path.unshift(up.name());
  const args = command.registeredArguments.map((one) => (one.required ? `<${one.name()}>` : `[${one.name()}]`));
  return [...path, ...args].join(" ");
}
