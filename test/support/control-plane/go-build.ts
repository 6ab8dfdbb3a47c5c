import { spawn } from "node:child_process";
import { KUBERNETES_VERSION, MODULE_DIRECTORY } from "./versions.ts";
import { type Progress, withProgress } from "./progress.ts";

/** Thrown when this way to get the binaries is not open on this machine; the next one is tried, the last one's words are shown. */
export class NotPossible extends Error {
  override readonly name = "NotPossible";
}

/**
 * Builds `commands` from our module into `outputDirectory` with the system's Go, which fetches the modules and, where it is older than the
 * module asks, its own successor. From nothing 4 to 6 minutes on two cores, then seconds.
 */
export async function goBuild(commands: readonly string[], outputDirectory: string, progress: Progress): Promise<void> {
  if ((await run(["version"])) === null) throw new NotPossible("go is not installed");
  const what = `control plane: go build of ${commands.join(", ")} ${KUBERNETES_VERSION} (once; 4 to 6 minutes on two cores)`;
  await withProgress(progress, what, async () => {
    const stamp = `-X k8s.io/component-base/version.gitVersion=${KUBERNETES_VERSION}`;
    const result = await run([
      "build",
      "-mod=readonly",
      "-trimpath",
      "-buildvcs=false",
      `-ldflags=-s -w ${stamp}`,
      "-o",
      `${outputDirectory}/`,
      ...commands.map((command) => `./${command}`),
    ]);
    if (result === null || result.code !== 0) {
      throw new NotPossible(
        `go build failed: ${result?.output.trim().split("\n").slice(-8).join("\n") ?? "go vanished"}`,
      );
    }
  });
}

/** null when there is no go. */
function run(args: readonly string[]): Promise<{ code: number | null; output: string } | null> {
  return new Promise((resolve, reject) => {
    const child = spawn("go", args, {
      cwd: MODULE_DIRECTORY,
      // Static binaries that need no C compiler; a workspace or flags of the user must not change what is built.
      env: { ...process.env, CGO_ENABLED: "0", GOWORK: "off", GOFLAGS: "" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.on("error", (error: NodeJS.ErrnoException) => (error.code === "ENOENT" ? resolve(null) : reject(error)));
    child.on("close", (code) => resolve({ code, output: Buffer.concat(chunks).toString("utf8") }));
  });
}
