import { execFile } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { controlPlaneBinaries, type ControlPlane, startControlPlane } from "../test/support/control-plane.ts";

/** The cluster that the demo mirrors. Everything is done by kubectl, as its reader would. */
export interface DemoCluster {
  readonly kubeconfig: string;
  readonly kubectlPath: string;
  open(): Promise<void>;
  /** Runs kubectl as administrator and gives what it printed. Rejects with what it said when it fails. */
  kubectl(args: readonly string[], stdin?: string): Promise<string>;
  /** Path of a kubeconfig with a token of the service account, good for an hour. */
  serviceAccountKubeconfig(namespace: string, name: string): Promise<string>;
  close(): Promise<void>;
}

/** kube-apiserver and etcd of our own; `progress` is told when they must be fetched or built first. */
export function ownCluster(progress: (line: string) => void): DemoCluster {
  let plane: ControlPlane | undefined;
  const running = () => {
    if (plane === undefined) throw new Error("the control plane is not open");
    return plane;
  };
  return {
    get kubeconfig() {
      return running().adminKubeconfig.path;
    },
    get kubectlPath() {
      return running().kubectlPath;
    },
    async open() {
      plane = await startControlPlane({ progress });
    },
    kubectl: (args, stdin) => running().kubectl(args, stdin === undefined ? {} : { stdin }),
    async serviceAccountKubeconfig(namespace, name) {
      return (await running().serviceAccountKubeconfig(namespace, name)).path;
    },
    async close() {
      await plane?.stop();
    },
  };
}

/** A cluster of the user's, by the current context of `kubeconfig`. */
export function givenCluster(kubeconfig: string, directory: string, progress: (line: string) => void): DemoCluster {
  let kubectlPath = "kubectl";
  const tokens: string[] = [];
  const cluster: DemoCluster = {
    kubeconfig,
    get kubectlPath() {
      return kubectlPath;
    },
    async open() {
      kubectlPath = (await controlPlaneBinaries(progress)).kubectl;
      await cluster.kubectl(["version", "--output=json"]);
    },
    kubectl: (args, stdin = "") => run(kubectlPath, ["--kubeconfig", kubeconfig, ...args], stdin),
    async serviceAccountKubeconfig(namespace, name) {
      const raw = ["config", "view", "--minify", "--flatten", "--raw", "--output=json"];
      const view = JSON.parse(await cluster.kubectl(raw)) as { clusters: { name: string; cluster: object }[] };
      const token = (await cluster.kubectl(["create", "token", name, "-n", namespace, "--duration=1h"])).trim();
      const [first] = view.clusters;
      if (first === undefined) throw new Error("the kubeconfig's current context names no cluster");
      const file = join(directory, `${name}.kubeconfig`);
      const config = {
        apiVersion: "v1",
        kind: "Config",
        clusters: [{ name: "demo", cluster: first.cluster }],
        users: [{ name: "demo", user: { token } }],
        contexts: [{ name: "demo", context: { cluster: "demo", user: "demo" } }],
        "current-context": "demo",
      };
      await writeFile(file, JSON.stringify(config), { mode: 0o600 });
      tokens.push(file);
      return file;
    },
    async close() {
      await Promise.all(tokens.map((file) => rm(file, { force: true })));
    },
  };
  return cluster;
}

function run(command: string, args: readonly string[], stdin: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(command, args, { maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`kubectl ${args.slice(2).join(" ")}: ${stderr.trim() || error.message}`, { cause: error }));
    });
    child.stdin?.end(stdin);
  });
}
