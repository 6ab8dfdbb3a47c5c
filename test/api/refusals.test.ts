import { generateCrd } from "../../src/api/crd.ts";
import { fabricSpec, parseFabric } from "../../src/api/fabric.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { ApiRefusal } from "../support/control-plane.ts";
import type { TestNamespace } from "../support/control-plane.ts";
import { controlPlane } from "../support/shared-control-plane.ts";
import { waitFor } from "../support/wait.ts";
import { CASES } from "./manifests.ts";

let namespace: TestNamespace;
beforeAll(async () => {
  await controlPlane.kubectl(["apply", "--server-side", "-f", "-"], generateCrd());
  await controlPlane.kubectl(["wait", "--for=condition=Established", "crd/fabrics.fabricsync.dev"]);
  namespace = await controlPlane.createNamespace("api");
  await waitFor("fabrics to be served", () => controlPlane.request("GET", folder()).then(() => true));
});
afterAll(() => namespace.remove());

const folder = () => `/apis/fabricsync.dev/v1alpha1/namespaces/${namespace.name}/fabrics`;

const fabric = (spec: JsonObject | null, name = "fabric"): JsonObject => ({
  apiVersion: "fabricsync.dev/v1alpha1",
  kind: "Fabric",
  metadata: { name },
  ...(spec === null ? {} : { spec }),
});

/** null when the server takes it, else what it says. */
async function answerTo(body: JsonObject): Promise<string | null> {
  try {
    await controlPlane.request("POST", `${folder()}?dryRun=All`, { body });
    return null;
  } catch (error) {
    if (error instanceof ApiRefusal) return error.message;
    throw error;
  }
}

describe("the API server", () => {
  test.each(CASES)("%s", async (_name, spec, refusal) => {
    const answer = await answerTo(fabric(spec));
    if (refusal === null) expect(answer).toBeNull();
    else expect(answer).toContain(refusal);
  });

  test.each(CASES)("and the reader agree about: %s", (_name, spec, refusal) => {
    expect(fabricSpec.safeParse(spec).success).toBe(refusal === null);
  });

  test("a name that is too long for the webhook's path is refused", async () => {
    expect(await answerTo(fabric({}, "a".repeat(64)))).toContain("metadata.name must be at most 63 characters long");
    expect(await answerTo(fabric({}, "a".repeat(63)))).toBeNull();
  });

  test("a Fabric keeps its cluster", async () => {
    await controlPlane.request("POST", folder(), { body: fabric({}, "keeps") });
    const path = `${folder()}/keeps`;
    const headers = { "content-type": "application/merge-patch+json" };
    const patch = (spec: JsonObject) => controlPlane.request("PATCH", path, { body: { spec }, headers });
    await expect(patch({ cluster: { kubeConfig: { secretRef: { name: "dc1" } } } })).rejects.toThrow(
      "a Fabric keeps its cluster",
    );
    await patch({ suspend: true });
  });

  test("one mistake gets one sentence", async () => {
    for (const url of ["http://a.example/b", "git@a.example:b/c.git", "https://x@a.example/b", "https://a.example"]) {
      const answer = await answerTo(fabric({ git: { url } }));
      expect([url, answer?.match(/Invalid value/g)?.length]).toEqual([url, 1]);
    }
  });

  test("fills in the same defaults as the reader", async () => {
    const spec = {
      git: { url: "https://git.example.com/a.git" },
      cluster: { kubeConfig: { secretRef: { name: "dc1" } } },
    };
    const served = await controlPlane.request<{ spec: JsonObject }>("POST", `${folder()}?dryRun=All`, {
      body: fabric(spec),
    });
    expect(served.spec).toEqual(fabricSpec.parse(spec));
  });

  test("says that nobody has looked at a new Fabric", async () => {
    const body = fabric({}, "unseen");
    const served = await controlPlane.request<{ status: JsonObject }>("POST", `${folder()}?dryRun=All`, { body });
    expect(served.status).toEqual({ observedGeneration: -1 });
  });
});

describe("kubectl", () => {
  test("explain reads like documentation", async () => {
    const text = await controlPlane.kubectl(["explain", "fabric.spec.git"]);
    expect(text).toContain("Where desired state comes from.");
    expect(text.replaceAll(/\s+/g, " ")).toContain("It holds no credentials; those come from secretRef.");
  });

  test("get fab tells at a glance how it stands", async () => {
    await controlPlane.request("POST", folder(), {
      body: fabric({ git: { url: "https://git.example.com/a.git" } }, "dc1"),
    });
    const status = {
      conditions: [
        {
          type: "Ready",
          status: "True",
          reason: "Succeeded",
          message: "3 kinds watched",
          lastTransitionTime: "2026-03-01T12:00:00Z",
        },
      ],
      git: { revision: "main@sha1:abc" },
      drift: { inSync: 335, drifted: 3, missing: 0, unknown: 2, notCompared: 5 },
      cluster: { objects: 340 },
    };
    const headers = { "content-type": "application/merge-patch+json" };
    await controlPlane.request("PATCH", `${folder()}/dc1/status`, { body: { status }, headers });
    const table = async (...flags: string[]) => {
      const text = await controlPlane.kubectl(["get", "fab", "dc1", "-n", namespace.name, ...flags]);
      return text
        .trim()
        .split("\n")
        .map((line) => line.split(/ {2,}/));
    };
    const [header, row] = await table();
    expect(header).toEqual(["NAME", "READY", "IN SYNC", "DRIFTED", "MISSING", "UNKNOWN", "REVISION", "AGE"]);
    expect(row?.slice(0, 7)).toEqual(["dc1", "True", "335", "3", "0", "2", "main@sha1:abc"]);
    const [wide, values] = await table("-o", "wide");
    expect(wide?.slice(8)).toEqual(["STATUS", "NOT COMPARED", "URL", "OBJECTS", "SUSPENDED"]);
    expect(values?.slice(8)).toEqual(["3 kinds watched", "5", "https://git.example.com/a.git", "340", "false"]);
  });
});

describe("reading a stored Fabric", () => {
  const metadata = { namespace: "a", name: "b", uid: "c", generation: 1, resourceVersion: "1" };

  test("names every field that another release wrote otherwise", () => {
    const read = parseFabric({ metadata, spec: { suspend: 1, git: { url: "gopher://a" } } });
    expect("problem" in read && read.problem.message).toMatch(
      /spec\.suspend: .*spec\.git\.url: url must begin with https/,
    );
    expect("problem" in read && read.problem.policy).toBe("stall");
  });

  test("a status of another release is no reason to stop", () => {
    const read = parseFabric({ metadata, spec: {}, status: { conditions: "none" } });
    expect("problem" in read).toBe(false);
    expect(read.status).toEqual({});
  });

  test("what is not a Fabric is told apart", () => {
    expect(() => parseFabric({ spec: {} })).toThrow("not a Fabric");
  });
});
