import { setTimeout as delay } from "node:timers/promises";
import type { Operator } from "../test/support/operator.ts";
import { waitFor } from "../test/support/wait.ts";
import { type Answer, ask, printed, rowOf } from "./answer.ts";
import { installation } from "./installation.ts";
import type { Narrator } from "./narrator.ts";
import { tellTopology } from "./topology.ts";
import { FABRIC, filesOf, NAMESPACE, type Stage } from "./stage.ts";

/** How long an answer may take to come true, ms: machines of two cores that build something else meanwhile. */
const PATIENCE_MS = 30_000;

/** The main job from end to end. Each step asks the same question of Postgres and checks the answer. */
export async function tell(stage: Stage, narrator: Narrator): Promise<Operator> {
  const { cluster, database } = stage;
  const kubectl = async (...args: readonly string[]) => {
    narrator.say(`$ kubectl ${args.join(" ")}`);
    return cluster.kubectl(args);
  };
  /** Asks until `holds`, then prints the answer. */
  const answerWhen = async (what: string, holds: (answer: Answer) => boolean) => {
    let answer = await ask(database, FABRIC);
    const asked = performance.now();
    await waitFor(what, async () => holds((answer = await ask(database, FABRIC))), { timeoutMs: PATIENCE_MS }).catch(
      () => undefined,
    );
    narrator.say(`SQL, after ${Math.round(performance.now() - asked)} ms:`);
    narrator.show(printed(answer));
    narrator.check(what, holds(answer));
    return answer;
  };
  const stateOf = (answer: Answer, object: string) => rowOf(answer, object)?.state;

  let operator = await narrator.step("Install: definitions, rights, schema, a Fabric", async () => {
    await installation(stage, narrator);
    const started = await stage.startOperator();
    await started.ready();
    narrator.check("the operator runs with its own service account and is ready", started.process.running());
    narrator.show(await kubectl("get", "fabrics", "-n", NAMESPACE));
    return started;
  });

  const fabric = await filesOf("examples/fabric");
  await narrator.step("Push the wiring to Git: the webhook makes it appear as desired", async () => {
    const commit = await stage.push(operator, fabric, "The example fabric");
    narrator.say(`pushed ${Object.keys(fabric).length} files as ${commit.slice(0, 8)}`);
    const answer = await answerWhen(
      "every declared object is committed: in Git, not yet in the cluster",
      (now) => now.rows.length === 7 && now.rows.every((row) => row.state === "committed" && row.drift === "missing"),
    );
    narrator.check(
      "each row names its file and line",
      rowOf(answer, "VPC/web")?.["declared at"] === "fabric/vpcs/web.yaml:2",
    );
  });

  await narrator.step("Apply it to the cluster: it becomes actual", async () => {
    await kubectl("apply", "-R", "-f", "examples/fabric");
    await kubectl("apply", "-f", "examples/platform");
    await kubectl(
      "apply",
      "--server-side",
      "--force-conflicts",
      "--subresource=status",
      "-f",
      "examples/platform/agents.yaml",
    );
    await answerWhen(
      "every object is synced: the cluster has what Git says",
      (now) =>
        now.rows.every((row) => row.state === "synced" && row.drift === "in_sync") &&
        (now.states["external"] ?? 0) >= 11,
    );
    const leaked = await database.query<{ leaks: number }>(
      "SELECT count(*)::int AS leaks FROM fabric_sync.resources WHERE actual_spec::text LIKE '%not-a-real-hash%'",
    );
    narrator.check("the agents' passwords are not in the table", leaked[0]?.leaks === 0);
  });

  await narrator.step("Draw its topology: every declared cable against what the switches hear", () =>
    tellTopology(stage, narrator),
  );

  await narrator.step("Somebody changes a VLAN with kubectl", async () => {
    const patch = '{"spec":{"subnets":{"front":{"vlan":1099}}}}';
    await kubectl("patch", "vpc", "web", "--type=merge", "-p", patch);
    await answerWhen("the VPC is drifted, with both values", (now) => {
      const web = rowOf(now, "VPC/web");
      return web?.state === "drifted" && web.desired === "1001" && web.actual === "1099";
    });
  });

  await narrator.step("A push moves a file, changes one and deletes one", async () => {
    const web = fabric["fabric/vpcs/web.yaml"] ?? "";
    const data = fabric["fabric/vpcs/data.yaml"] ?? "";
    await stage.push(
      operator,
      {
        "fabric/vpcs/web.yaml": web.replace("vlan: 1001", "vlan: 1099"),
        "fabric/vpcs/data.yaml": null,
        "fabric/tenants/data.yaml": data,
        "fabric/peerings.yaml": null,
      },
      "Take over VLAN 1099, move the data tier, drop the peerings",
    );
    const answer = await answerWhen(
      "the VPC is in sync again, and what was only moved stays synced at its new place",
      (now) =>
        stateOf(now, "VPC/web") === "synced" &&
        stateOf(now, "VPC/data") === "synced" &&
        (rowOf(now, "VPC/data")?.["declared at"] ?? "").startsWith("fabric/tenants/data.yaml:"),
    );
    narrator.check(
      "what Git dropped and the cluster still has is orphaned, not forgotten",
      answer.states["orphaned"] === 4,
    );
  });

  await narrator.step("A push with a broken document", async () => {
    const broken = "apiVersion: vpc.githedgehog.com/v1beta1\nkind: VPC\nmetadata: {name: broken\nspec: {}\n";
    const good =
      "---\napiVersion: vpc.githedgehog.com/v1beta1\nkind: VPC\nmetadata:\n  name: lab\nspec:\n  subnets: {}\n";
    await stage.push(operator, { "fabric/vpcs/lab.yaml": `${broken}${good}` }, "Add a lab");
    await answerWhen(
      "the document beside it is taken in, and nothing else changed",
      (now) => stateOf(now, "VPC/lab") === "committed" && now.rows.filter((row) => row.state === "synced").length === 7,
    );
    const rejections = await database.query<{ place: string; reason: string }>(
      "SELECT path || ':' || line AS place, message AS reason FROM fabric_sync.rejections WHERE fabric = $1",
      [FABRIC],
    );
    for (const { place, reason } of rejections) narrator.show(`${place}  ${reason}`);
    narrator.check(
      "the broken one is named with file and line",
      rejections[0]?.place.startsWith("fabric/vpcs/lab.yaml:") === true,
    );
  });

  operator = await narrator.step("Kill the operator with -9, change something, start it again", async () => {
    await operator.process.stop("SIGKILL");
    await kubectl("patch", "vpc", "web", "--type=merge", "-p", '{"spec":{"subnets":{"front":{"vlan":1001}}}}');
    const before = await database.query<{ events: number }>(
      "SELECT count(*)::int AS events FROM fabric_sync.resource_event",
    );
    const restarted = await stage.startOperator();
    await restarted.ready();
    await answerWhen("the change made meanwhile is there", (now) => rowOf(now, "VPC/web")?.actual === "1001");
    const lists = await listsOf(restarted);
    narrator.check(`it resumed every watch where it had stopped: ${lists} lists`, lists === 0);
    const after = await database.query<{ events: number }>(
      "SELECT count(*)::int AS events FROM fabric_sync.resource_event",
    );
    const news = (after[0]?.events ?? 0) - (before[0]?.events ?? 0);
    narrator.check(`history grew by that one change: ${news} event`, news === 1);
    return restarted;
  });

  await narrator.step("How it stands", async () => {
    // The figures in the status are written at most once a second.
    await waitFor(
      "the status to tell of the drift",
      async () =>
        (await cluster.kubectl([
          "get",
          "fabrics",
          FABRIC,
          "-n",
          NAMESPACE,
          "-o",
          "jsonpath={.status.drift.drifted}",
        ])) === "1",
      { timeoutMs: PATIENCE_MS },
    ).catch(() => delay(0));
    narrator.show(await kubectl("get", "fabrics", "-n", NAMESPACE, "-o", "wide"));
    await kubectl("wait", "--for=condition=Ready", `fabrics/${FABRIC}`, "-n", NAMESPACE, "--timeout=20s");
    narrator.check("kubectl wait finds the Fabric Ready", true);
    narrator.show(await kubectl("get", "events", "-n", NAMESPACE, "--sort-by=.metadata.creationTimestamp"));
  });
  return operator;
}

async function listsOf(operator: Operator): Promise<number> {
  const modes = await Promise.all(
    ["list", "watchlist"].map((mode) => operator.metric("fabric_sync_stream_starts_total", { mode })),
  );
  return modes.reduce((sum, lists) => sum + lists, 0);
}
