import { createServer } from "node:net";

/**
 * A TCP port of the loopback address that the OS says is free, for servers that cannot bind port 0 themselves. Somebody else may take it
 * before they bind: their start is retried with another one.
 */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (address === null || typeof address === "string") throw new Error("no TCP address");
  return address.port;
}
