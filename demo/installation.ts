import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { applyOperatorManifests, OPERATOR_NAMESPACE } from "../test/support/installation.ts";
import { migrate } from "../test/support/operator.ts";
import type { Narrator } from "./narrator.ts";
import { FABRIC, NAMESPACE, ROOT, type Stage } from "./stage.ts";

/** Kinds that a cluster with a fabric of its own, or with fabric-sync, has already. */
const OURS = /(^|\.)(githedgehog\.com|fabricsync\.dev)$/;

/** What is in the way on a cluster of the user's: definitions and namespaces that the demo would make and take away. */
export async function obstacles(stage: Pick<Stage, "cluster">): Promise<string[]> {
  const names = async (...args: string[]) => (await stage.cluster.kubectl([...args, "-o", "name"])).split("\n");
  const definitions = (await names("get", "customresourcedefinitions")).filter((name) => OURS.test(name));
  const namespaces = (await names("get", "namespaces")).filter((name) =>
    [`namespace/${OPERATOR_NAMESPACE}`, `namespace/${NAMESPACE}`].includes(name),
  );
  return [...definitions, ...namespaces];
}

/** Everything but the Deployment: the demo runs the operator itself, with the rights that the Deployment would have. */
export async function installation(stage: Stage, narrator: Narrator): Promise<void> {
  const { cluster, database, git, repository } = stage;
  narrator.say("$ kubectl apply -k deploy/base   # without its Deployment");
  await applyOperatorManifests(cluster);
  narrator.say("$ kubectl apply -f examples/crds");
  await cluster.kubectl(["apply", "--server-side", "-f", join(ROOT, "examples/crds")]);
  narrator.say("$ fabric-sync db migrate");
  await migrate(database.url);
  const manifest = (await readFile(join(ROOT, "examples/fabric.yaml"), "utf8")).replace(
    /^(\s+url: ).*$/m,
    `$1${repository.httpsUrl}`,
  );
  narrator.say("$ kubectl apply -f examples/fabric.yaml   # with the address of the demo's Git server");
  await cluster.kubectl(["create", "namespace", NAMESPACE]);
  const secrets = {
    "fabric-git": { ...stage.gitUser, "ca.crt": git.https.ca },
    "fabric-webhook": { token: stage.webhookSecret },
  };
  for (const [name, stringData] of Object.entries(secrets)) {
    const secret = { apiVersion: "v1", kind: "Secret", metadata: { name, namespace: NAMESPACE }, stringData };
    await cluster.kubectl(["apply", "-f", "-"], JSON.stringify(secret));
  }
  await cluster.kubectl(["apply", "-n", NAMESPACE, "-f", "-"], manifest);
}

/** Takes away what the demo made, the Fabric first, so that the operator can let it go. */
export async function removal(stage: Stage): Promise<void> {
  const { cluster } = stage;
  const gone = ["--ignore-not-found", "--timeout=60s"];
  await cluster.kubectl(["delete", "fabrics", FABRIC, "-n", NAMESPACE, ...gone]);
  await cluster.kubectl(["delete", "-f", join(ROOT, "examples/crds"), ...gone]);
  await cluster.kubectl(["delete", "-k", join(ROOT, "deploy/base"), ...gone]);
  await cluster.kubectl(["delete", "namespace", NAMESPACE, ...gone]);
}
