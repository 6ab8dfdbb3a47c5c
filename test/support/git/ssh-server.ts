import { spawn } from "node:child_process";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { join } from "node:path";
import ssh2, { type Connection, type ParsedKey, type ServerChannel } from "ssh2";
import { gitEnvironment } from "./run-git.ts";

/**
 * An SSH server for git alone. It is the `ssh2` package and not the system's sshd, because machines that have git and an ssh client often
 * have no sshd, and sshd wants files of the system; the client under test is the real one.
 */
export interface SshGitServer {
  readonly port: number;
  /** `ssh://git@127.0.0.1:<port>`. */
  readonly url: string;
  /** OpenSSH private key of the one user who is let in. */
  readonly clientKey: string;
  readonly clientPublicKey: string;
  /** A valid private key that nobody is let in with. */
  readonly strangerKey: string;
  /** The line of a known_hosts file. */
  readonly knownHosts: string;
  /** The same for another key than the server's. */
  readonly wrongKnownHosts: string;
  /** Commands that were run, e.g. `git-upload-pack '/a.git'`. */
  readonly commands: string[];
  connections: number;
  fault: SshFault | null;
  stop(): Promise<void>;
}

export type SshFault =
  /** Takes the connection and says nothing. */
  | { readonly type: "hang" }
  /** Lets the user in, takes the command and says nothing. */
  | { readonly type: "hang-command" }
  | { readonly type: "reset" };

export async function startSshGitServer(root: string): Promise<SshGitServer> {
  const [host, client, stranger, otherHost] = [newKey(), newKey(), newKey(), newKey()];
  const allowed = ssh2.utils.parseKey(client.public);
  if (allowed instanceof Error) throw allowed;
  const ssh = new ssh2.Server({ hostKeys: [host.private] }, (connection) => {
    // A client that leaves in the middle is part of the tests.
    connection.on("error", () => undefined);
    authenticate(connection, allowed);
    connection.on("session", (accept) => {
      const session = accept();
      let protocol = "";
      session.on("env", (acceptEnv, _reject, info) => {
        if (info.key === "GIT_PROTOCOL") protocol = info.val;
        // Undefined when the client wants no answer.
        (acceptEnv as (() => void) | undefined)?.();
      });
      session.on("exec", (acceptExec, reject, info) => {
        const [, service, path] = /^git[- ](upload-pack|receive-pack) '\/?([^']+)'$/.exec(info.command) ?? [];
        if (service === undefined || path === undefined) {
          reject();
          return;
        }
        self.commands.push(info.command);
        const channel = acceptExec();
        if (self.fault?.type !== "hang-command") serve(channel, service, join(root, path), protocol);
      });
    });
  });
  const sockets = new Set<Socket>();
  const listener = createServer((socket) => {
    self.connections++;
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", () => undefined);
    if (self.fault?.type === "reset") socket.resetAndDestroy();
    else if (self.fault?.type !== "hang") ssh.injectSocket(socket);
  });
  await new Promise<void>((resolve, reject) => {
    listener.once("error", reject);
    listener.listen(0, "127.0.0.1", resolve);
  });
  const { port } = listener.address() as AddressInfo;
  const self: SshGitServer = {
    port,
    url: `ssh://git@127.0.0.1:${port}`,
    clientKey: client.private,
    clientPublicKey: client.public,
    strangerKey: stranger.private,
    knownHosts: knownHost(port, host.public),
    wrongKnownHosts: knownHost(port, otherHost.public),
    commands: [],
    connections: 0,
    fault: null,
    async stop() {
      const closed = new Promise<void>((resolve) => listener.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
  return self;
}

/** Lets in who proves to hold the one key, by whatever user name. */
function authenticate(connection: Connection, allowed: ParsedKey): void {
  connection.on("authentication", (context) => {
    if (context.method !== "publickey" || !context.key.data.equals(allowed.getPublicSSH())) {
      context.reject(["publickey"]);
      return;
    }
    const { signature, blob, hashAlgo } = context;
    // Without a signature the client only asks whether the key would do.
    if (signature === undefined || blob === undefined) context.accept();
    else if (allowed.verify(blob, signature, hashAlgo) === true) context.accept();
    else context.reject();
  });
}

function serve(channel: ServerChannel, service: string, directory: string, protocol: string): void {
  const child = spawn("git", [service, directory], {
    env: { ...gitEnvironment(directory), GIT_PROTOCOL: protocol },
    stdio: ["pipe", "pipe", "pipe"],
  });
  child.stdin.on("error", () => undefined);
  channel.pipe(child.stdin);
  child.stdout.pipe(channel, { end: false });
  child.stderr.pipe(channel.stderr, { end: false });
  channel.on("close", () => child.kill());
  child.on("close", (code) => {
    channel.exit(code ?? 1);
    channel.end();
  });
}

function newKey(): { public: string; private: string } {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync("ed25519");
    // One in two hundred lacks a byte, and nobody can read it (ssh2 1.17).
    if (!(ssh2.utils.parseKey(pair.private) instanceof Error)) return pair;
  }
}

function knownHost(port: number, publicKey: string): string {
  return `[127.0.0.1]:${port} ${publicKey.split(" ").slice(0, 2).join(" ")}\n`;
}
