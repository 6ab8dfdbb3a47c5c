import type { KubeClient, RequestOptions } from "../client.ts";
import type { Pacer } from "./pacer.ts";

const NEVER = new AbortController().signal;

/** A client each of whose requests waits for its turn. Those of one verb and one kind cost the server about the same. */
export function pacedClient(client: Pick<KubeClient, "request">, pacer: Pacer): Pick<KubeClient, "request"> {
  return {
    request: (method, path, options?: RequestOptions) => {
      const kind = path.replace(/\/namespaces\/[^/]+\//, "/").replace(/\/[^/]*$/, "");
      return pacer.request(`${method} ${options?.contentType ?? ""} ${kind}`, options?.signal ?? NEVER, () =>
        client.request(method, path, options),
      );
    },
  };
}
