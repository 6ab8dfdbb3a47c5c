import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { once } from "node:events";
import { type FaultProxy, startFaultProxy } from "./fault-proxy.ts";
import { waitFor } from "./wait.ts";

let echo: Server;
let proxy: FaultProxy;
const sockets: Socket[] = [];

beforeEach(async () => {
  echo = createServer((socket) => socket.on("error", () => undefined).pipe(socket)).listen(0, "127.0.0.1");
  await once(echo, "listening");
  proxy = await startFaultProxy({ port: (echo.address() as AddressInfo).port });
});
afterEach(async () => {
  await proxy.stop();
  for (const socket of sockets.splice(0)) socket.destroy();
  echo.close();
});

interface Client {
  readonly socket: Socket;
  received: string;
  end: "open" | "fin" | "reset" | "refused";
}

function dial(): Client {
  const socket = connect(proxy.port, "127.0.0.1");
  const client: Client = { socket, received: "", end: "open" };
  sockets.push(socket);
  socket.on("data", (chunk: Buffer) => (client.received += chunk.toString()));
  socket.on("end", () => (client.end = "fin"));
  socket.on("error", (error: NodeJS.ErrnoException) => {
    client.end = error.code === "ECONNREFUSED" ? "refused" : "reset";
  });
  return client;
}

async function dialled(): Promise<Client> {
  const client = dial();
  client.socket.write("hello");
  await waitFor("the echo", () => client.received === "hello");
  return client;
}

const end = (client: Client) => waitFor("the end", () => client.end !== "open" && client.end);

it("passes bytes on, counts them, and replaces an address", async () => {
  await dialled();
  expect(proxy.bytes).toEqual({ toServer: 5, toClient: 5 });
  expect(proxy).toMatchObject({ open: 1, accepted: 1 });
  expect(proxy.through("postgresql://u:p@db.example:5432/x")).toBe(`postgresql://u:p@127.0.0.1:${proxy.port}/x`);
});

it("passes something else on to the server, on connections that are open too", async () => {
  const client = await dialled();
  proxy.rewrite = (chunk) => Buffer.from(chunk.toString().toUpperCase());
  client.socket.write(" again");
  await waitFor("the echo", () => client.received === "hello AGAIN");
  proxy.rewrite = null;
  client.socket.write(" and again");
  await waitFor("the echo", () => client.received === "hello AGAIN and again");
});

it("keeps a half-open connection silent until it is thawed, and lets new ones pass", async () => {
  const frozen = await dialled();
  proxy.freeze();
  frozen.socket.write(" again");
  await dialled();
  expect(frozen).toMatchObject({ received: "hello", end: "open" });
  proxy.thaw();
  await waitFor("what was held back", () => frozen.received === "hello again");
});

it("tells neither side of a half-open connection that the other has gone", async () => {
  const client = await dialled();
  proxy.freeze();
  client.socket.resetAndDestroy();
  await dialled();
  const connections = await new Promise((resolve) => echo.getConnections((_error, count) => resolve(count)));
  expect(connections).toBe(2);
});

it("ends connections by reset or in order", async () => {
  const [one, two] = [await dialled(), await dialled()];
  proxy.reset();
  expect([await end(one), await end(two)]).toEqual(["reset", "reset"]);
  const three = await dialled();
  proxy.close();
  expect(await end(three)).toBe("fin");
});

it("leaves no socket of a connection that is reset while it ends", async () => {
  const client = await dialled();
  proxy.close();
  proxy.reset();
  await end(client);
  await waitFor("both sides to be closed", () => proxy.open === 0);
});

it("refuses until it accepts again on the same port, and leaves open connections alone", async () => {
  const old = await dialled();
  await proxy.refuse();
  expect(await end(dial())).toBe("refused");
  old.socket.write("!");
  await waitFor("the old one", () => old.received === "hello!");
  old.socket.destroy();
  await waitFor("its end", () => proxy.open === 0);
  await proxy.accept();
  await dialled();
});

it("cuts after so many bytes", async () => {
  proxy.nextFault = { cutAfter: { direction: "toClient", bytes: 3 } };
  const client = dial();
  client.socket.write("hello");
  expect(await end(client)).toBe("reset");
  expect(proxy.bytes.toClient).toBe(3);
});

it("delays, in order", async () => {
  proxy.nextFault = { delayMs: 40 };
  const start = performance.now();
  const client = dial();
  for (const part of ["he", "ll", "o"]) client.socket.write(part);
  await waitFor("the echo", () => client.received === "hello");
  // There and back; timers may fire a millisecond early.
  expect(performance.now() - start).toBeGreaterThanOrEqual(78);
});

it("accepts and says nothing", async () => {
  proxy.nextFault = { silent: true };
  const silent = dial();
  silent.socket.write("hello");
  await waitFor("the connection", () => proxy.accepted === 1);
  proxy.nextFault = null;
  await dialled();
  expect(silent).toMatchObject({ received: "", end: "open" });
});
