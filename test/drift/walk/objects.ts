import type { ControlPlane } from "../../support/control-plane.ts";
import { NAMESPACE } from "./rig.ts";

/** What is done to one object in a round: Git's change is in the round's commit, the cluster's comes after it was taken in. */
export interface Step {
  /** Value that Git declares from now on; null = none any more. */
  readonly git?: string | null;
  /** `create V`, `create V held` (with a finalizer), `edit V`, `hold`, `delete`, `release`, in this order. */
  readonly cluster?: string;
  /** The state afterwards. */
  readonly state: string;
}

export const fileOf = (name: string): string => `things/${name}.yaml`;
export const manifestOf = (name: string, value: string): string =>
  `apiVersion: walk.example.com/v1\nkind: Thing\nmetadata:\n  name: ${name}\n  namespace: ${NAMESPACE}\nspec:\n  value: ${value}\n`;

/** Objects whose names begin with `generated` are of a kind that the platform generates. */
export class Objects {
  readonly #plane: ControlPlane;

  constructor(plane: ControlPlane) {
    this.#plane = plane;
  }

  async do(name: string, what: string): Promise<void> {
    const [verb = "", value = "", held = ""] = what.split(" ");
    if (verb === "create") await this.#create(name, value, held === "held");
    else if (verb === "edit") await this.#patch(name, { spec: { value } });
    else if (verb === "hold") await this.#patch(name, { metadata: { finalizers: ["walk.example.com/held"] } });
    else if (verb === "release") await this.#patch(name, { metadata: { finalizers: null } });
    else if (verb === "delete") await this.#plane.request("DELETE", this.#path(name));
    else throw new Error(`nobody knows how to ${what}`);
  }

  /** The object that waits for its end goes, and another takes its name. */
  async anew(name: string, value: string): Promise<void> {
    await this.do(name, "release");
    await this.do(name, `create ${value}`);
  }

  async #create(name: string, value: string, held: boolean): Promise<void> {
    const metadata = { name, namespace: NAMESPACE, ...(held ? { finalizers: ["walk.example.com/held"] } : {}) };
    const thing = { apiVersion: "walk.example.com/v1", kind: "Thing", metadata, spec: { value } };
    const catalog = { ...thing, apiVersion: "agent.githedgehog.com/v1", kind: "Catalog" };
    const body = name.startsWith("generated") ? catalog : thing;
    const collection = this.#path(name).replace(/\/[^/]*$/, "");
    await this.#plane.request("POST", `${collection}?fieldManager=maker`, { body });
  }

  async #patch(name: string, body: object): Promise<void> {
    const headers = { "content-type": "application/merge-patch+json" };
    await this.#plane.request("PATCH", `${this.#path(name)}?fieldManager=by-hand`, { body, headers });
  }

  #path(name: string): string {
    const kind = name.startsWith("generated") ? "agent.githedgehog.com/v1" : "walk.example.com/v1";
    const plural = name.startsWith("generated") ? "catalogs" : "things";
    return `/apis/${kind}/namespaces/${NAMESPACE}/${plural}/${name}`;
  }
}
