import { createServer } from "node:http";
import { join } from "node:path";
import { bundleInto } from "../../scripts/bundle.ts";
import type { BrokerAnswers } from "./broker-client.ts";
import { startControlPlane } from "./control-plane.ts";
import { createTemplate } from "./postgres-template.ts";
import { dropLeftovers, givenPostgres, type PostgresServer, startPostgres } from "./postgres.ts";
import { createWorkspace } from "./workspace.ts";

/**
 * Lives in jest's main process and starts each shared server once, when the first suite asks for it: a run of pure unit tests starts
 * none, and suites of all workers share one PostgreSQL and one control plane.
 */
export interface Broker {
  readonly socketPath: string;
  /** Ends whatever was started. */
  stop(): Promise<void>;
}

export async function startBroker(environment: { testDatabaseUrl: string | undefined }): Promise<Broker> {
  const workspace = await createWorkspace("broker");
  const stops: (() => Promise<void>)[] = [];
  const started = <T>(start: () => Promise<T>, stop: (server: T) => Promise<void>) =>
    once(async () => {
      const server = await start();
      stops.unshift(() => stop(server));
      return server;
    });

  const postgres = started(
    () => sharedPostgres(environment.testDatabaseUrl),
    (server) => server.stop(),
  );
  const template = once(async () => createTemplate(await postgres()));
  const controlPlane = started(
    () => startControlPlane(),
    (plane) => plane.stop(),
  );
  const bundle = once(async () => {
    const directory = join(workspace.directory, "dist");
    await bundleInto(directory);
    return { program: join(directory, "fabric-sync.mjs") };
  });
  const answers: { [K in keyof BrokerAnswers]: () => Promise<BrokerAnswers[K]> } = {
    postgres: async () => ({ url: (await postgres()).url }),
    template: async () => ({ url: (await postgres()).url, template: await template() }),
    bundle,
    "control-plane": async () => (await controlPlane()).address,
  };

  const server = createServer((request, response) => {
    const question = (request.url ?? "").slice(1);
    const answer = question in answers ? answers[question as keyof BrokerAnswers] : undefined;
    if (answer === undefined) {
      response.writeHead(404).end(`nothing is shared by the name ${question}`);
      return;
    }
    answer().then(
      (value) => response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value)),
      (error: unknown) => response.writeHead(500).end(error instanceof Error ? describe(error) : String(error)),
    );
  });
  // A cold build of the control plane takes minutes.
  server.requestTimeout = 0;
  const socketPath = join(workspace.directory, "socket");
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(socketPath, resolve);
  });
  server.unref();

  return {
    socketPath,
    async stop() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      for (const stop of stops) await stop();
      await workspace.dispose();
    },
  };
}

async function sharedPostgres(testDatabaseUrl: string | undefined): Promise<PostgresServer> {
  if (testDatabaseUrl === undefined || testDatabaseUrl === "") return startPostgres();
  await dropLeftovers(testDatabaseUrl);
  return givenPostgres(testDatabaseUrl);
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

function describe(error: Error): string {
  return error.cause instanceof Error ? `${error.message}: ${describe(error.cause)}` : error.message;
}
