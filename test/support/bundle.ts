import { askBroker } from "./broker-client.ts";

/**
 * Path of `fabric-sync.mjs` as it would be shipped, built from the checkout once a run into a temporary directory: what runs in a test is
 * what the code says now, and nothing of the checkout is beside it.
 */
export async function builtProgram(): Promise<string> {
  return (await askBroker("bundle")).program;
}
