import { setImmediate } from "node:timers/promises";
import { generateCrd } from "../../src/api/crd.ts";
import { FabricWatch } from "../../src/controller/fabric-watch.ts";
import { KubeClient } from "../../src/sources/cluster/client.ts";
import { loadKubeConfig } from "../../src/sources/cluster/kubeconfig.ts";
import { startControlPlane } from "../support/control-plane.ts";
import type { ControlPlane } from "../support/control-plane.ts";
import { waitFor } from "../support/wait.ts";
import { NO_HEARTBEATS, SILENT } from "./support/rig.ts";

// A control plane of its own: it is taken away and its history is forgotten.
let plane: ControlPlane;
let kube: KubeClient;
beforeAll(async () => {
  plane = await startControlPlane();
  await plane.kubectl(["apply", "--server-side", "-f", "-"], generateCrd());
  await plane.kubectl(["wait", "--for=condition=Established", "crd/fabrics.fabricsync.dev"]);
  await waitFor("fabrics to be served", () => plane.request("GET", folder).then(() => true));
  kube = new KubeClient(loadKubeConfig({ from: "file", path: plane.adminKubeconfig.path }));
}, 120_000);
afterAll(async () => {
  await kube.close();
  await plane.stop();
});

const folder = "/apis/fabricsync.dev/v1alpha1/namespaces/default/fabrics";
const create = (name: string) =>
  plane.request("POST", folder, {
    body: { apiVersion: "fabricsync.dev/v1alpha1", kind: "Fabric", metadata: { name }, spec: {} },
  });
const remove = (name: string) => plane.request("DELETE", `${folder}/${name}`);

function follow(namespaces: readonly string[], client: Pick<KubeClient, "request" | "stream"> = kube) {
  const stop = new AbortController();
  const there = new Set<string>();
  const state = { listed: 0 };
  const watch = new FabricWatch({
    client,
    namespaces,
    log: SILENT,
    heartbeats: NO_HEARTBEATS,
    onObject: (key, object) => (object === null ? there.delete(key) : there.add(key)),
    onListed: () => (state.listed += 1),
  });
  const done = watch.run(stop.signal);
  return {
    there,
    state,
    until: (...keys: string[]) =>
      waitFor(`exactly ${keys.join(", ")}`, () => JSON.stringify([...there].sort()) === JSON.stringify(keys), {
        timeoutMs: 60_000,
      }),
    end: async () => {
      stop.abort();
      await done;
    },
  };
}

test("follows what comes and goes, through a restart of the API server and a forgotten history", async () => {
  await create("before");
  const followed = follow([]);
  await followed.until("default/before");
  expect(followed.state.listed).toBe(1);
  await create("after");
  await followed.until("default/after", "default/before");
  await remove("before");
  await followed.until("default/after");

  await plane.halt();
  await plane.restart();
  await create("restarted");
  await followed.until("default/after", "default/restarted");

  await remove("after");
  await followed.until("default/restarted");
  await plane.forgetHistory();
  await create("forgotten");
  await followed.until("default/forgotten", "default/restarted");
  expect(followed.state.listed).toBe(1);
  await followed.end();
}, 120_000);

test("one namespace that does not answer to us keeps the others going, and nothing counts as listed", async () => {
  const account = await plane.serviceAccountKubeconfig("default", "narrow");
  const role = ["--verb=list,watch", "--resource=fabrics.fabricsync.dev", "-n", "default"];
  await plane.kubectl(["create", "role", "narrow", ...role]);
  await plane.kubectl([
    ...["create", "rolebinding", "narrow", "--role=narrow"],
    ...["--serviceaccount=default:narrow", "-n", "default"],
  ]);
  const admin = kube;
  kube = new KubeClient(loadKubeConfig({ from: "file", path: account.path }));
  const followed = follow(["default", "kube-system"]);
  await waitFor("the Fabrics of default", () => followed.there.has("default/restarted"));
  expect(followed.state.listed).toBe(0);
  await followed.end();
  await kube.close();
  kube = admin;
});

test("a server that ends every watch at once is not asked again without a pause", async () => {
  const most = 50;
  let ending = true;
  let asked = 0;
  const streamsThatEndAtOnce: Pick<KubeClient, "request" | "stream"> = {
    request: (...args) => kube.request(...args),
    stream: async (path, options) => {
      asked += 1;
      if (!ending || asked > most) return kube.stream(path, options);
      await setImmediate();
      return (async function* () {})();
    },
  };
  const followed = follow(["default"], streamsThatEndAtOnce);
  await waitFor("a second watch", () => asked > 1);
  await create("patient");
  // Whoever asks without a pause has asked more often by now.
  expect(asked).toBeLessThan(most);
  ending = false;
  await waitFor("the object to be told", () => followed.there.has("default/patient"), { timeoutMs: 60_000 });
  await followed.end();
});
