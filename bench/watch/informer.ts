/**
 * What people write today: client-node's informer for each kind, and one upsert for each object as it comes. No history, no redaction, no
 * hash, no deletes that were missed. `node informer.ts KUBECONFIG DATABASE_URL GROUP KINDS OBJECTS CONNECTIONS`
 *
 * CONNECTIONS 1 is one upsert after the other, as a handler that awaits its query does it, or a `Client` instead of a pool; ten is the
 * default of `pg.Pool`, with nobody waiting for the answers.
 */
import { CustomObjectsApi, KubeConfig, makeInformer } from "@kubernetes/client-node";
import type { KubernetesListObject, KubernetesObject } from "@kubernetes/client-node";
import pg from "pg";

const [path = "", connectionString = "", group = "", kinds = "0", objects = "0", max = "10"] = process.argv.slice(2);
const config = new KubeConfig();
config.loadFromFile(path);
const api = config.makeApiClient(CustomObjectsApi);
const pool = new pg.Pool({ connectionString, max: Number(max) });
await pool.query(
  "CREATE TABLE IF NOT EXISTS public.informer (kind text, namespace text, name text, object jsonb, PRIMARY KEY (kind, namespace, name))",
);
let written = 0;
const upsert = async (object: KubernetesObject): Promise<void> => {
  const { namespace = "", name = "" } = object.metadata ?? {};
  await pool.query(
    `INSERT INTO public.informer VALUES ($1, $2, $3, $4)
         ON CONFLICT (kind, namespace, name) DO UPDATE SET object = excluded.object`,
    [object.kind, namespace, name, JSON.stringify(object)],
  );
  written += 1;
  if (written < Number(objects)) return;
  const rssMiB = Math.round(process.resourceUsage().maxRSS / 1024);
  console.log(JSON.stringify({ objects: written, seconds: Math.round(performance.now()) / 1_000, rssMiB }));
  process.exit(0);
};
for (let kind = 0; kind < Number(kinds); kind++) {
  const plural = `thing${kind}s`;
  const list = () =>
    api.listClusterCustomObject({ group, version: "v1", plural }) as Promise<KubernetesListObject<KubernetesObject>>;
  const informer = makeInformer(config, `/apis/${group}/v1/${plural}`, list);
  informer.on("add", (object) => void upsert(object));
  informer.on("update", (object) => void upsert(object));
  await informer.start();
}
