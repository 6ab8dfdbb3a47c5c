import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const checkout = join(import.meta.dirname, "../../..");

/** Runs one suite, outside of the checkout, in a jest of its own with the project's configuration. */
async function runSuite(text: string): Promise<{ code: number; output: string }> {
  const directory = await mkdtemp(join(tmpdir(), "fabric-sync-leak-"));
  try {
    await writeFile(join(directory, "leak.test.ts"), text);
    const projectConfig = (await import(join(checkout, "jest.config.mjs"))) as { default: object };
    const config = {
      ...projectConfig.default,
      rootDir: checkout,
      roots: [directory],
      testMatch: ["**/leak.test.ts"],
      // Its failure is no failure of the run that this is part of.
      reporters: ["default"],
    };
    const jest = join(checkout, "node_modules/jest/bin/jest.js");
    const args = [
      "--experimental-vm-modules",
      jest,
      "--runInBand",
      "--forceExit",
      `--config=${JSON.stringify(config)}`,
    ];
    return await new Promise((resolve) => {
      execFile(process.execPath, args, { cwd: checkout }, (error, _stdout, stderr) =>
        resolve({ code: typeof error?.code === "number" ? error.code : 0, output: stderr }),
      );
    });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const LISTEN = 'import { createServer } from "node:net";\nconst server = createServer();\n';

describe("a suite", () => {
  it("fails when it leaves a server listening, and says so", async () => {
    const text = `${LISTEN}it("listens", (done) => void server.listen(0, () => done()));\n`;
    const { code, output } = await runSuite(text);
    expect(code).toBe(1);
    expect(output).toMatch(/left open: 1 TCPServerWrap/);
  });

  it("passes when it closes what it opened", async () => {
    const text = `${LISTEN}afterAll((done) => void server.close(done));\nit("listens", (done) => void server.listen(0, () => done()));\n`;
    expect(await runSuite(text)).toMatchObject({ code: 0 });
  });
});
