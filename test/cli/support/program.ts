import { spawn } from "node:child_process";
import { once } from "node:events";
import { builtProgram } from "../../support/bundle.ts";

export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `fabric-sync …args` as a user would; its environment holds nothing but PATH, HOME and what is given. */
export async function fabricSync(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const child = spawn(process.execPath, [await builtProgram(), ...args], {
    env: { PATH: process.env["PATH"], HOME: "/nonexistent", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
  const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  return { code, signal, ...output };
}

/** The longest line of a text, in characters. */
export function widthOf(text: string): number {
  return Math.max(...text.split("\n").map((line) => [...line].length));
}
