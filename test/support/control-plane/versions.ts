import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** The release that go.mod beside this file requires; what the tests and the documentation speak of. */
export const KUBERNETES_VERSION = "v1.36.3";

/** Our Go module: the same API server, etcd and kubectl that are released, from their own modules. */
export const MODULE_DIRECTORY = import.meta.dirname;

/** Changes whenever what `go build` would make changes; part of the cache's key. */
export async function moduleDigest(): Promise<string> {
  const hash = createHash("sha256");
  for (const file of ["go.mod", "go.sum", "kube-apiserver/main.go", "etcd/main.go", "kubectl/main.go"]) {
    hash.update(await readFile(join(MODULE_DIRECTORY, file)));
  }
  return hash.digest("hex").slice(0, 8);
}
