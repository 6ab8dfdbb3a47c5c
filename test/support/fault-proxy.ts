import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/**
 * A TCP proxy that breaks connections the way networks do, put in front of PostgreSQL or the API server. It is a fault injector: without a
 * fault set it passes bytes on and nothing else.
 */
export interface FaultProxy {
  readonly host: "127.0.0.1";
  readonly port: number;
  /** `url` with host and port replaced by the proxy's. */
  through(url: string): string;
  /** Connections that are open now, and all that were ever accepted. */
  readonly open: number;
  readonly accepted: number;
  /** Bytes passed on so far. */
  readonly bytes: { readonly toServer: number; readonly toClient: number };
  /** What happens to connections accepted from now on; null for nothing. */
  nextFault: ConnectionFault | null;
  /** What becomes of the bytes on their way to the server, a chunk at a time; null for nothing. It may be of another length. */
  rewrite: ((chunk: Buffer) => Buffer) | null;
  /**
   * Half-open: open connections stay open, not a byte passes in either direction any more. What a pulled cable or a dropped NAT entry
   * looks like. Connections made later pass, unless `refuse` or `nextFault` say otherwise.
   */
  freeze(): void;
  /** Lets frozen connections go on, with what was held back. */
  thaw(): void;
  /** Ends open connections with RST. */
  reset(): void;
  /** Ends open connections in order, with FIN. */
  close(): void;
  /** Stops listening, so that connections are refused; open ones stay. */
  refuse(): Promise<void>;
  /** Listens again, on the same port. */
  accept(): Promise<void>;
  stop(): Promise<void>;
}

export interface ConnectionFault {
  /** Holds every chunk back for this time, ms, keeping their order. */
  readonly delayMs?: number;
  /** Ends the connection with RST after so many bytes in this direction. */
  readonly cutAfter?: { readonly direction: "toServer" | "toClient"; readonly bytes: number };
  /** Accepts and never passes anything on. */
  readonly silent?: boolean;
}

export async function startFaultProxy(target: { host?: string; port: number }): Promise<FaultProxy> {
  const links = new Set<Link>();
  const bytes = { toServer: 0, toClient: 0 };
  let accepted = 0;
  let nextFault: ConnectionFault | null = null;
  let rewrite: FaultProxy["rewrite"] = null;
  const toServer = (chunk: Buffer): Buffer => rewrite?.(chunk) ?? chunk;
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    accepted++;
    const link = new Link(client, target, nextFault ?? {}, bytes, toServer);
    links.add(link);
    link.onEnd(() => links.delete(link));
  });
  const listen = (port: number) =>
    new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, "127.0.0.1", () => {
        server.off("error", reject);
        resolve();
      });
    });
  await listen(0);
  const { port } = server.address() as AddressInfo;
  // The server's own close waits for its connections; what is refused here is only new ones.
  const refuse = () => {
    if (!server.listening) return Promise.resolve();
    server.close();
    return Promise.resolve();
  };
  return {
    host: "127.0.0.1",
    port,
    through(url) {
      const changed = new URL(url);
      changed.hostname = "127.0.0.1";
      changed.port = String(port);
      return changed.toString();
    },
    get open() {
      return links.size;
    },
    get accepted() {
      return accepted;
    },
    bytes,
    get nextFault() {
      return nextFault;
    },
    set nextFault(fault) {
      nextFault = fault;
    },
    get rewrite() {
      return rewrite;
    },
    set rewrite(change) {
      rewrite = change;
    },
    freeze: () => links.forEach((link) => link.freeze()),
    thaw: () => links.forEach((link) => link.thaw()),
    reset: () => links.forEach((link) => link.reset()),
    close: () => links.forEach((link) => link.close()),
    refuse,
    accept: () => listen(port),
    async stop() {
      await refuse();
      for (const link of links) link.reset();
    },
  };
}

/** One client's connection and the one made for it. */
class Link {
  readonly #client: Socket;
  readonly #server: Socket;
  #frozen = false;

  constructor(
    client: Socket,
    target: { host?: string; port: number },
    fault: ConnectionFault,
    bytes: { toServer: number; toClient: number },
    toServer: (chunk: Buffer) => Buffer,
  ) {
    this.#client = client;
    this.#server = connect({ host: target.host ?? "127.0.0.1", port: target.port, allowHalfOpen: true, noDelay: true });
    this.#pass(client, this.#server, "toServer", fault, bytes, toServer);
    this.#pass(this.#server, client, "toClient", fault, bytes, (chunk) => chunk);
    if (fault.silent === true) this.freeze();
  }

  /** Calls back when neither side is left. */
  onEnd(ended: () => void): void {
    for (const side of [this.#client, this.#server]) {
      side.once("close", () => this.#client.destroyed && this.#server.destroyed && ended());
    }
  }

  freeze(): void {
    this.#frozen = true;
    this.#client.pause();
    this.#server.pause();
  }

  thaw(): void {
    this.#frozen = false;
    this.#client.resume();
    this.#server.resume();
  }

  reset(): void {
    reset(this.#client);
    reset(this.#server);
  }

  close(): void {
    this.#client.end();
    this.#server.end();
    this.thaw();
  }

  #pass(
    from: Socket,
    to: Socket,
    direction: "toServer" | "toClient",
    fault: ConnectionFault,
    bytes: { toServer: number; toClient: number },
    changed: (chunk: Buffer) => Buffer,
  ): void {
    let passed = 0;
    const after = (act: () => void): void => {
      if (fault.delayMs === undefined) act();
      else setTimeout(act, fault.delayMs);
    };
    const limit = fault.cutAfter?.direction === direction ? fault.cutAfter.bytes : Number.POSITIVE_INFINITY;
    from.on("data", (chunk: Buffer) =>
      after(() => {
        const rest = chunk.subarray(0, limit - passed);
        passed += rest.length;
        bytes[direction] += rest.length;
        // Back-pressure of one side holds the other, as if there were no proxy.
        if (!to.destroyed && !to.write(changed(rest), () => passed >= limit && this.reset())) {
          from.pause();
          to.once("drain", () => from.resume());
        }
      }),
    );
    from.on("end", () => after(() => to.end()));
    // The other side sees what happened to this one, but for half-open connections, of which it is told nothing.
    from.on("error", () => this.#frozen || reset(to));
    from.on("close", () => this.#frozen || after(() => to.destroySoon()));
  }
}

/**
 * Ends a socket with RST. While its own end is under way Node cannot (EINVAL), and would leave its handle open for good without a word: such a
 * one is closed.
 */
function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
