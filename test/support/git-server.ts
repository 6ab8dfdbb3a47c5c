import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type HttpsGitServer, startHttpsGitServer } from "./git/https-server.ts";
import { createRepository, type TestRepository } from "./git/repository.ts";
import { type SshGitServer, startSshGitServer } from "./git/ssh-server.ts";
import { createWorkspace } from "./workspace.ts";

export type { HttpsAccess, HttpsFault, HttpsGitServer, SeenRequest } from "./git/https-server.ts";
export type { FileChanges, PushOptions, TestRepository } from "./git/repository.ts";
export type { SshFault, SshGitServer } from "./git/ssh-server.ts";

/** Real repositories behind real servers: `git http-backend` over https with an authority of its own, and git over ssh. */
export interface GitServer {
  readonly https: HttpsGitServer;
  readonly ssh: SshGitServer;
  /** PEM file of the https authority, for `GIT_SSL_CAINFO` and the like. */
  readonly caFile: string;
  /** A temporary directory that ends with the server. */
  readonly directory: string;
  /** An empty bare repository, reachable by both servers, and a clone to push from. */
  createRepository(name?: string, options?: { objectFormat?: "sha1" | "sha256" }): Promise<TestRepository>;
  stop(): Promise<void>;
}

/** Starts both servers on loopback ports from the OS. They and the repositories end with this process at the latest. */
export async function startGitServer(): Promise<GitServer> {
  const workspace = await createWorkspace("git");
  const root = join(workspace.directory, "served");
  const clones = join(workspace.directory, "clones");
  await Promise.all([mkdir(root), mkdir(clones)]);
  const [https, ssh] = await Promise.all([startHttpsGitServer(root), startSshGitServer(root)]);
  const caFile = join(workspace.directory, "ca.pem");
  await writeFile(caFile, https.ca);
  const host = {
    root,
    clones,
    httpsUrl: (path: string) => `${https.url}/${path}`,
    sshUrl: (path: string) => `${ssh.url}/${path}`,
  };
  return {
    https,
    ssh,
    caFile,
    directory: workspace.directory,
    createRepository: (name, options) => createRepository(host, name, options),
    async stop() {
      await Promise.all([https.stop(), ssh.stop()]);
      await workspace.dispose();
    },
  };
}
