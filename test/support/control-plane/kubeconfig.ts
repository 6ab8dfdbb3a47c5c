import { chmod, writeFile } from "node:fs/promises";
import type { Connection } from "./request.ts";

/** A kubeconfig with one context, as the file holds it (JSON is YAML). */
export interface KubeconfigObject {
  readonly apiVersion: "v1";
  readonly kind: "Config";
  readonly "current-context": string;
  readonly contexts: readonly { name: string; context: { cluster: string; user: string; namespace: string } }[];
  readonly clusters: readonly { name: string; cluster: { server: string; "certificate-authority-data": string } }[];
  readonly users: readonly { name: string; user: { token: string } }[];
}

export interface Kubeconfig {
  readonly path: string;
  readonly object: KubeconfigObject;
}

/** Writes a kubeconfig that reaches `connection` as its user; readable by its owner alone. */
export async function writeKubeconfig(path: string, connection: Connection, namespace: string): Promise<Kubeconfig> {
  const name = "test";
  const object: KubeconfigObject = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": name,
    contexts: [{ name, context: { cluster: name, user: name, namespace } }],
    clusters: [
      {
        name,
        cluster: {
          server: connection.url,
          "certificate-authority-data": Buffer.from(connection.ca).toString("base64"),
        },
      },
    ],
    users: [{ name, user: { token: connection.token } }],
  };
  await writeFile(path, `${JSON.stringify(object, null, 2)}\n`, { mode: 0o600 });
  await chmod(path, 0o600);
  return { path, object };
}
