/**
 * One Fabric that holds three objects: one in sync, one that nobody can know of (its kind may not be listed), and one that was not compared yet (the
 * lists of its kind fail). Beside it a Fabric of which nothing was ever taken in. Every place at which a person or a machine may look.
 */
import type { FabricStatus } from "../../../src/api/status.ts";
import { fabricSync } from "../../cli/support/program.ts";
import { waitFor } from "../../support/wait.ts";
import { definition, NAMESPACE } from "./rig.ts";
import type { WalkRig } from "./rig.ts";

export const THREE = "three";
export const NEVER = "never";
const GROUP = "three.example.com";
const FABRICS = `/apis/fabricsync.dev/v1alpha1/namespaces/${NAMESPACE}/fabrics`;

/** What one surface says of each. */
export interface Telling {
  readonly inSync: string;
  readonly unknown: string;
  readonly notCompared: string;
  /** Of the Fabric that was never taken in; null where the surface tells of single objects alone. */
  readonly never: string | null;
}

/** On a busy machine, with retries of what fails. */
const PATIENCE = { timeoutMs: 90_000 };

const KINDS = { inSync: "Plain", unknown: "Hidden", notCompared: "Slow" } as const;
type Case = keyof typeof KINDS;
const CASES = Object.keys(KINDS) as Case[];

export class Surfaces {
  readonly #rig: WalkRig;
  #commit = "";

  constructor(rig: WalkRig) {
    this.#rig = rig;
  }

  async prepare(): Promise<void> {
    const { plane } = this.#rig;
    for (const kind of Object.values(KINDS)) await this.#define(kind);
    await plane.kubectl(["wait", "--for=condition=Established", "crd", "--all"]);
    await plane.kubectl(["create", "serviceaccount", "three", "-n", NAMESPACE]);
    const resources = `plains.${GROUP},slows.${GROUP}`;
    await plane.kubectl(["create", "clusterrole", "three", "--verb=list,watch", `--resource=${resources}`]);
    await plane.kubectl([
      ...["create", "clusterrolebinding", "three", "--clusterrole=three", `--serviceaccount=${NAMESPACE}:three`],
    ]);
    for (const kind of [KINDS.unknown, KINDS.notCompared]) await this.#create(kind);
    const repository = await this.#rig.git.createRepository("three");
    const files = Object.values(KINDS).map((kind): [string, string] => [
      `${kind.toLowerCase()}.yaml`,
      JSON.stringify(object(kind, kind === "Slow" ? "v2" : "v1")),
    ]);
    this.#commit = await repository.push(Object.fromEntries(files), "three", { author: "Ada <ada@example.com>" });
    const spec = (url: string) => ({
      git: { url, interval: "24h", secretRef: { name: "git" } },
      resources: [{ group: GROUP, kinds: ["*"] }],
      serviceAccountName: "three",
    });
    await this.#fabric(THREE, spec(repository.httpsUrl));
    await this.#fabric(NEVER, {
      ...spec(repository.httpsUrl.replace(/three/, "nobody-made-it")),
      serviceAccountName: "nobody",
    });
    await waitFor("the revision", async () => (await this.status(THREE)).git?.revision !== undefined, PATIENCE);
    // After it: what was seen before the commit was taken in does not prove that it has landed.
    await this.#create(KINDS.inSync);
    await this.#settled();
  }

  async #create(kind: string): Promise<void> {
    await this.#rig.plane.kubectl(["create", "-f", "-"], JSON.stringify(object(kind, "v1")));
  }

  get commit(): string {
    return this.#commit;
  }

  get rig(): WalkRig {
    return this.#rig;
  }

  async rows(columns: string, join = ""): Promise<Telling> {
    return this.each(async (kind) => {
      const [row] = await this.#rig.sql(
        `SELECT concat_ws(' ', ${columns.replaceAll(/(?<![.\w'])(resource_state|drift_status|state_change_reason|drift_details)/g, "r.$1")}) AS told
           FROM fabric_sync.resources r ${join} WHERE r.fabric = 'three' AND r.kind = $1`,
        [kind],
      );
      return JSON.stringify(row ?? "");
    });
  }

  async each(tell: (kind: string) => Promise<string>): Promise<Telling> {
    const told = await Promise.all(CASES.map(async (one) => [one, await tell(KINDS[one])] as const));
    return { inSync: "", unknown: "", notCompared: "", ...Object.fromEntries(told), never: null };
  }

  async figures(fabric: string): Promise<Record<string, unknown>> {
    const [row] = await this.#rig.sql<Record<string, unknown>>(
      "SELECT in_sync::int, unknown::int, not_compared::int FROM fabric_sync.fabrics WHERE fabric = $1",
      [fabric],
    );
    return row ?? {};
  }

  async run(...args: string[]): Promise<string> {
    const environment = { DATABASE_URL: this.#rig.databaseUrl, KUBECONFIG: this.#rig.plane.adminKubeconfig.path };
    const { stdout, stderr } = await fabricSync(args, environment);
    return `${stdout}${stderr}`;
  }

  async status(name: string): Promise<FabricStatus> {
    return (await this.#rig.plane.request<{ status?: FabricStatus }>("GET", `${FABRICS}/${name}`)).status ?? {};
  }

  async #fabric(name: string, spec: object): Promise<void> {
    const body = { apiVersion: "fabricsync.dev/v1alpha1", kind: "Fabric", metadata: { name }, spec };
    await this.#rig.plane.request("POST", FABRICS, { body });
  }

  /** `Slow` has two versions, and nobody who converts between them answers. */
  async #define(kind: string): Promise<void> {
    const made = definition(GROUP, kind, `${kind.toLowerCase()}s`, { value: { type: "string" } });
    const [version] = made.spec.versions;
    const conversion = {
      strategy: "Webhook",
      webhook: { clientConfig: { url: "https://127.0.0.1:1/convert" }, conversionReviewVersions: ["v1"] },
    };
    const both = { versions: [version, { ...version, name: "v2", storage: false }], conversion };
    const body = kind === "Slow" ? { ...made, spec: { ...made.spec, ...both } } : made;
    await this.#rig.plane.kubectl(["apply", "-f", "-"], JSON.stringify(body));
  }

  /** Everything that can be known is, and the status has said so. */
  async #settled(): Promise<void> {
    await waitFor(
      "the three",
      async () => {
        const { drift = {}, conditions = [] } = await this.status(THREE);
        const { conditions: others = [] } = await this.status(NEVER);
        return (
          [drift.inSync, drift.unknown, drift.notCompared].every((figure) => figure === 1) &&
          conditions.some(({ type, message }) => type === "Landed" && message.includes("1 of 3")) &&
          others.some(({ type, status }) => type === "GitReady" && status === "False")
        );
      },
      PATIENCE,
    );
  }
}

function object(kind: string, version: string): object {
  const metadata = { name: "one", namespace: NAMESPACE };
  return { apiVersion: `${GROUP}/${version}`, kind, metadata, spec: { value: "v" } };
}
