/** `npm run demo`: the main job on real parts, told step by step. Ends with 0 when every check held. */
import { createInterface } from "node:readline/promises";
import { parseArgs } from "node:util";
import { messageOf } from "../src/core/errors.ts";
import { obstacles, removal } from "./installation.ts";
import { joiningIn } from "./joining.ts";
import { CheckFailed, createNarrator } from "./narrator.ts";
import { announcement, prepareStage, type StageOptions } from "./stage.ts";
import { tell } from "./story.ts";

const HELP = `npm run demo -- [--once] [--kubeconfig FILE] [--database-url URL] [--yes]

  --once              end after the last step, also on a terminal
  --kubeconfig FILE   use this cluster instead of one of its own
  --database-url URL  use this PostgreSQL server instead of one of its own
  --yes               do not ask before something is made on a cluster or server of yours
`;

process.exitCode = await main();

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      once: { type: "boolean", default: false },
      kubeconfig: { type: "string" },
      "database-url": { type: "string" },
      yes: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const options: StageOptions = {
    ...(values.kubeconfig === undefined ? {} : { kubeconfig: values.kubeconfig }),
    ...(values["database-url"] === undefined ? {} : { databaseUrl: values["database-url"] }),
  };
  const stay = process.stdout.isTTY && !values.once;
  const narrator = createNarrator((text) => void process.stdout.write(text), process.stdout.isTTY);
  const stage = await prepareStage(options, narrator);
  const interrupted = new Promise<"interrupted">((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve("interrupted"));
  });

  let installed = false;
  const play = async (): Promise<void> => {
    const announced = announcement(options, stage);
    for (const line of announced) narrator.say(line);
    if (announced.length > 0 && !values.yes && !(await confirmed()))
      throw new CheckFailed("not confirmed; --yes confirms");
    await narrator.step("Start PostgreSQL, a control plane and a Git server", async () => {
      await stage.open();
      const there = options.kubeconfig === undefined ? [] : await obstacles(stage);
      narrator.check(`nothing is in the way${there.length > 0 ? `: ${there.join(", ")}` : ""}`, there.length === 0);
      installed = true;
    });
    await tell(stage, narrator);
    if (stay) {
      process.stdout.write(joiningIn(stage));
      await interrupted;
    }
  };
  let outcome: "played" | "interrupted" | "failed" = "failed";
  try {
    outcome = await Promise.race([play().then(() => "played" as const), interrupted]);
  } catch (error) {
    if (!(error instanceof CheckFailed))
      process.stderr.write(`${error instanceof Error ? (error.stack ?? "") : messageOf(error)}\n`);
  }
  // Our own cluster is thrown away as a whole; the user's is left as it was.
  if (installed && options.kubeconfig !== undefined) {
    narrator.say("taking everything away again");
    await removal(stage);
  }
  await stage.close();
  const { passed, failed } = narrator.summary();
  process.stdout.write(`\ndemo: ${passed} passed, ${failed} failed\n`);
  return outcome === "failed" || failed > 0 ? 1 : 0;
}

async function confirmed(): Promise<boolean> {
  if (!process.stdin.isTTY) return false;
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await terminal.question("   Go on? [y/N] ")).trim());
  } finally {
    terminal.close();
  }
}
