import { request } from "node:http";
import type { ControlPlaneAddress } from "./control-plane/client.ts";

/** Set by jest's global setup for every worker: the broker's socket, and the process id of the run. */
export const BROKER_VARIABLE = "FABRIC_SYNC_TEST_BROKER";
export const RUN_VARIABLE = "FABRIC_SYNC_TEST_RUN";

/** What the broker can be asked for, and what it answers. */
export interface BrokerAnswers {
  /** The shared PostgreSQL server. */
  readonly postgres: { readonly url: string; readonly template?: undefined };
  /** The same, and the database that has the migrations applied. */
  readonly template: { readonly url: string; readonly template: string };
  /** The program, built from the checkout as it is now, outside of it. */
  readonly bundle: { readonly program: string };
  /** The shared control plane. */
  readonly "control-plane": ControlPlaneAddress;
}

/**
 * Asks the run's broker for a shared server; the first to ask waits until it is started.
 * @throws Error with the broker's words when it cannot be started, or when there is no broker.
 */
export function askBroker<K extends keyof BrokerAnswers>(question: K): Promise<BrokerAnswers[K]> {
  const socketPath = process.env[BROKER_VARIABLE];
  if (socketPath === undefined) {
    return Promise.reject(
      new Error(
        "shared servers exist in jest runs of this project only; elsewhere use startPostgres, startControlPlane",
      ),
    );
  }
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, path: `/${question}`, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        if (response.statusCode === 200) resolve(JSON.parse(text) as BrokerAnswers[K]);
        else reject(new Error(`the shared ${question} could not be started: ${text}`));
      });
    });
    call.on("error", reject);
    call.end();
  });
}
