import type { Fabric } from "../api/fabric.ts";
import { FabricSyncError, messageOf } from "../core/errors.ts";
import type { CheckedStore, FabricRecord } from "../core/ports.ts";
import { chooseVolatile } from "../core/volatile-choice.ts";
import type { Config } from "../config.ts";
import type { KubeApi } from "../controller/kube-api.ts";
import { volatileRules } from "../controller/volatile-rules.ts";
import { SecretReader } from "../controller/secrets.ts";
import { checkFabric } from "../sources/cluster/checker.ts";
import type { CheckReport } from "../sources/cluster/checker.ts";
import { KubeClient } from "../sources/cluster/client.ts";
import { loadKubeConfig } from "../sources/cluster/kubeconfig.ts";
import type { KubeConfigSource } from "../sources/cluster/kubeconfig.ts";
import { kubeConfigSource } from "./cluster.ts";
import { readFabric } from "./fabric-object.ts";

/** What came of one Fabric. */
export interface Verdict {
  readonly namespace: string;
  readonly name: string;
  /** null when it could not be compared; `error` says why. */
  readonly report: CheckReport | null;
  readonly error: string;
}

export interface VerifyOptions {
  readonly settleMs: number;
  readonly signal: AbortSignal;
}

/**
 * Compares each Fabric's rows with what the Fabric's own identity is shown by the cluster that it mirrors.
 * @throws the store's errors; the client's when it has no Fabric to tell of.
 */
export async function verifyFabrics(
  config: Config,
  fabrics: readonly FabricRecord[],
  store: CheckedStore,
  options: VerifyOptions,
): Promise<Verdict[]> {
  const own = kubeConfigSource(config);
  const api = new KubeClient(loadKubeConfig(own));
  try {
    const verdicts: Verdict[] = [];
    for (const { id: fabricId, namespace, name } of fabrics) {
      try {
        const fabric = await readFabric(api, { namespace, name }, options.signal);
        const report = await checkOne(fabric, fabricId, { api, own, store, ...options });
        verdicts.push({ namespace, name, report, error: "" });
      } catch (error) {
        // One that cannot be had is told beside the others; a database that is away ends them all.
        if (fabrics.length === 1 || !(error instanceof FabricSyncError) || error.code.startsWith("Store")) throw error;
        verdicts.push({ namespace, name, report: null, error: messageOf(error) });
      }
    }
    return verdicts;
  } finally {
    await api.close();
  }
}

interface Checking extends VerifyOptions {
  readonly api: KubeApi;
  readonly own: KubeConfigSource;
  readonly store: CheckedStore;
}

async function checkOne(fabric: Fabric, fabricId: string, checking: Checking): Promise<CheckReport> {
  const { api, own, store, settleMs, signal } = checking;
  const { namespace } = fabric.metadata;
  const { resources: selections, serviceAccountName, cluster } = fabric.spec;
  const secretRef = cluster?.kubeConfig?.secretRef;
  const source: KubeConfigSource =
    secretRef === undefined
      ? own
      : { from: "secret", text: await new SecretReader(api, namespace).readKey(secretRef.name, secretRef.key, signal) };
  const impersonation =
    serviceAccountName === undefined ? {} : { impersonate: `system:serviceaccount:${namespace}:${serviceAccountName}` };
  const client = new KubeClient(loadKubeConfig(source), impersonation);
  try {
    const volatile = chooseVolatile(volatileRules(fabric.spec));
    return await checkFabric({ fabricId, client, store, selections, volatile, settleMs, signal });
  } finally {
    await client.close();
  }
}
