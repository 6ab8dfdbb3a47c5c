import { createServer } from "node:https";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { JsonObject, JsonValue } from "../../../src/core/json.ts";
import { isJsonObject } from "../../../src/core/json.ts";
import { createAuthority } from "../../support/certificates.ts";
import type { ControlPlaneClient } from "../../support/control-plane.ts";

/** The two webhooks of the suite, served and registered for namespaces with the label `drift-suite`. */
export interface Webhooks {
  stop(): Promise<void>;
}

const NAME = "drift-suite";

/** `/default` fills in `spec.ratio`; `/mutate` writes MAC addresses its own way and sorts `spec.groups`. */
const CHANGES: Readonly<Record<string, (spec: JsonObject) => JsonObject>> = {
  "/default": (spec) => (spec["ratio"] === undefined ? { ratio: 0.5 } : {}),
  "/mutate": ({ mac, groups }) => ({
    ...(typeof mac === "string" ? { mac: mac.toLowerCase().replaceAll("-", ":") } : {}),
    ...(Array.isArray(groups) ? { groups: groups.map(String).sort() } : {}),
  }),
};

export async function startWebhooks(cluster: ControlPlaneClient): Promise<Webhooks> {
  const authority = createAuthority("drift suite");
  const server = createServer(authority.issue(["127.0.0.1"]), (request, response) => {
    void answer(request).then((body) =>
      response.setHeader("content-type", "application/json").end(JSON.stringify(body)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const webhooks = Object.keys(CHANGES).map((path) => ({
    name: `${path.slice(1)}.drift.example.com`,
    admissionReviewVersions: ["v1"],
    sideEffects: "None",
    failurePolicy: "Fail",
    namespaceSelector: { matchLabels: { [NAME]: "yes" } },
    rules: [
      {
        apiGroups: ["drift.example.com"],
        apiVersions: ["v1"],
        operations: ["CREATE", "UPDATE"],
        resources: ["samples"],
      },
    ],
    clientConfig: { url: `https://127.0.0.1:${port}${path}`, caBundle: Buffer.from(authority.ca).toString("base64") },
  }));
  const path = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
  const kind = { apiVersion: "admissionregistration.k8s.io/v1", kind: "MutatingWebhookConfiguration" };
  await cluster.request("POST", path, { body: { ...kind, metadata: { name: NAME }, webhooks } });
  return {
    async stop() {
      await cluster.request("DELETE", `${path}/${NAME}`);
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer(request: IncomingMessage): Promise<JsonObject> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const review = JSON.parse(Buffer.concat(chunks).toString("utf8")) as {
    request: { uid: string; object: { spec?: JsonValue } };
  };
  const { uid, object } = review.request;
  const changes = isJsonObject(object.spec) ? (CHANGES[request.url?.split("?")[0] ?? ""]?.(object.spec) ?? {}) : {};
  const patch = Object.entries(changes).map(([field, value]) => ({ op: "add", path: `/spec/${field}`, value }));
  const patched =
    patch.length === 0 ? {} : { patchType: "JSONPatch", patch: Buffer.from(JSON.stringify(patch)).toString("base64") };
  return { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response: { uid, allowed: true, ...patched } };
}
