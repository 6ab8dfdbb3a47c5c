import { askBroker } from "./broker-client.ts";
import { connectControlPlane, type ControlPlaneClient } from "./control-plane/client.ts";

/**
 * The control plane that all suites of a run share. Importing this file waits until it is ready, outside of any test's timeout: the very
 * first run on a machine may have to build it. Suites keep apart by namespaces of their own; those that break things start their own by
 * `startControlPlane`.
 */
export const controlPlane: ControlPlaneClient = await connectControlPlane(await askBroker("control-plane"));
