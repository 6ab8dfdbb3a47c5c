import { ApiRefusal, type RequestOptions } from "./request.ts";

export interface TestNamespace {
  readonly name: string;
  /** Deletes everything in it, finalizers or not, and then the namespace itself; no controller manager does it here. */
  remove(): Promise<void>;
}

/** The part of the client that this file needs. */
interface Requests {
  request<T = unknown>(method: string, path: string, options?: RequestOptions): Promise<T>;
}

/** Makes `prefix-<random>` and, as the controller manager would, its `default` service account. */
export async function createNamespace(
  client: Requests,
  prefix: string,
  labels: Readonly<Record<string, string>>,
): Promise<TestNamespace> {
  const made = await client.request<{ metadata: { name: string } }>("POST", "/api/v1/namespaces", {
    body: { apiVersion: "v1", kind: "Namespace", metadata: { generateName: `${prefix}-`, labels } },
  });
  const { name } = made.metadata;
  await client.request("POST", `/api/v1/namespaces/${name}/serviceaccounts`, {
    body: { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default" } },
  });
  return { name, remove: () => removeNamespace(client, name) };
}

async function removeNamespace(client: Requests, name: string): Promise<void> {
  await tolerating(404, () => client.request("DELETE", `/api/v1/namespaces/${name}`));
  const collections = await namespacedCollections(client, name);
  await Promise.all(collections.map((path) => emptyCollection(client, path)));
  await tolerating(404, () =>
    client.request("PUT", `/api/v1/namespaces/${name}/finalize`, {
      body: { apiVersion: "v1", kind: "Namespace", metadata: { name }, spec: { finalizers: [] } },
    }),
  );
}

interface DiscoveredGroup {
  readonly metadata?: { readonly name?: string };
  readonly versions: readonly {
    readonly version: string;
    readonly resources: readonly {
      readonly resource: string;
      readonly scope: string;
      readonly verbs: readonly string[];
    }[];
  }[];
}

/** Paths of every kind in the namespace that can be deleted by collection, each kind once, from the two aggregated discovery documents. */
async function namespacedCollections(client: Requests, namespace: string): Promise<string[]> {
  const headers = { accept: "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList" };
  const paths = new Set<string>();
  for (const root of ["/api", "/apis"]) {
    const { items } = await client.request<{ items: DiscoveredGroup[] }>("GET", root, { headers });
    for (const group of items) {
      const preferred = group.versions[0];
      if (preferred === undefined) continue;
      const name = group.metadata?.name ?? "";
      const base = name === "" ? `${root}/${preferred.version}` : `${root}/${name}/${preferred.version}`;
      for (const { resource, scope, verbs } of preferred.resources) {
        if (scope === "Namespaced" && verbs.includes("deletecollection")) {
          paths.add(`${base}/namespaces/${namespace}/${resource}`);
        }
      }
    }
  }
  return [...paths];
}

async function emptyCollection(client: Requests, path: string): Promise<void> {
  // A CRD may have been deleted since discovery.
  await tolerating(404, async () => {
    await client.request("DELETE", path);
    const left = await client.request<{ items: { metadata: { name: string; finalizers?: string[] } }[] }>("GET", path);
    for (const { metadata } of left.items) {
      if (metadata.finalizers === undefined) continue;
      await tolerating(404, () =>
        client.request("PATCH", `${path}/${metadata.name}`, {
          body: { metadata: { finalizers: null } },
          headers: { "content-type": "application/merge-patch+json" },
        }),
      );
    }
  });
}

async function tolerating(status: number, call: () => Promise<unknown>): Promise<void> {
  try {
    await call();
  } catch (error) {
    if (!(error instanceof ApiRefusal) || error.status !== status) throw error;
  }
}
