/** Another client: GETs one object over and over until its standard input ends; prints `[when it began (ms since the epoch), ms]` of each as JSON. */
import { KubeClient } from "../../src/sources/cluster/client.ts";
import { loadKubeConfig } from "../../src/sources/cluster/kubeconfig.ts";

const [kubeconfig = "", path = ""] = process.argv.slice(2);
const client = new KubeClient(loadKubeConfig({ from: "file", path: kubeconfig }));
const times: [number, number][] = [];
let going = true;
process.stdin.resume().on("end", () => {
  going = false;
});
while (going) {
  const [at, began] = [Date.now(), performance.now()];
  await client.request("GET", path);
  times.push([at, performance.now() - began]);
  await new Promise((resolve) => setTimeout(resolve, 5));
}
await client.close();
process.stdout.write(JSON.stringify(times));
