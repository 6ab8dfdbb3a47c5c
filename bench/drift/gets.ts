/** Another client: GETs one object over and over until its standard input ends, then prints what each took (ms) as JSON. */
import { KubeClient } from "../../src/sources/cluster/client.ts";
import { loadKubeConfig } from "../../src/sources/cluster/kubeconfig.ts";

const [kubeconfig = "", path = ""] = process.argv.slice(2);
const client = new KubeClient(loadKubeConfig({ from: "file", path: kubeconfig }));
const times: number[] = [];
let going = true;
process.stdin.resume().on("end", () => {
  going = false;
});
while (going) {
  const began = performance.now();
  await client.request("GET", path);
  times.push(performance.now() - began);
  await new Promise((resolve) => setTimeout(resolve, 5));
}
await client.close();
// The first ones open the connection and compile the code.
process.stdout.write(JSON.stringify(times.slice(20)));
