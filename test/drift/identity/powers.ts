import type { Method, RequestOptions } from "../../../src/sources/cluster/client.ts";
import type { ControlPlane } from "../../support/control-plane.ts";
import { ApiRefusal } from "../../support/control-plane.ts";
import { waitFor } from "../../support/wait.ts";
import { DEFINITION, NAMESPACE, objectOf } from "./objects.ts";

/** One way to change something, for everything that the cluster serves. */
export interface Power {
  /** `resource[/subresource].group verb` */
  readonly what: string;
  readonly method: Method;
  readonly path: string;
  readonly options: RequestOptions;
}

interface Resource {
  readonly group: string;
  readonly version: string;
  /** With its subresource. */
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
}

const CONNECTED = new Set(["attach", "exec", "portforward", "proxy"]);
const MERGE = "application/merge-patch+json";
const ONLY_OURS = { labelSelector: "app=victim" };

/** Makes an object of every kind; resolves to everything that could be done to them in earnest, by the cluster's own discovery. */
export async function everyPower(plane: ControlPlane): Promise<Power[]> {
  await plane.kubectl(["create", "namespace", NAMESPACE]);
  await plane.request("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", { body: DEFINITION });
  await plane.kubectl(["wait", "--for=condition=Established", `crd/${DEFINITION.metadata.name}`]);
  // Once it is served it is discovered, too.
  const gadgets = `/apis/powers.example.com/v1/namespaces/${NAMESPACE}/gadgets`;
  await waitFor("the custom kind", () => plane.request("GET", gadgets));
  // Pods are made in the name of this account.
  await plane.kubectl(["create", "serviceaccount", "default", "-n", NAMESPACE]);
  const resources = await waitFor("its discovery", async () => {
    const found = await discovered(plane);
    return found.some(({ name }) => name === "gadgets/scale") ? found : null;
  });
  for (const resource of resources) {
    if (resource.verbs.includes("create") && resource.verbs.includes("delete") && !resource.name.includes("/")) {
      await make(plane, resource);
    }
  }
  const powers: Power[] = [];
  for (const resource of resources.filter(isWritten)) powers.push(...(await powersOver(plane, resource, resources)));
  // What takes an object away comes last, so that everything else has one.
  const [ends, others] = [powers.filter(isEnd), powers.filter((power) => !isEnd(power))];
  return [...others, ...ends];
}

function isEnd({ method }: Power): boolean {
  return method === "DELETE";
}

async function discovered(plane: ControlPlane): Promise<Resource[]> {
  interface Listed {
    readonly resources: readonly Pick<Resource, "name" | "kind" | "namespaced" | "verbs">[];
  }
  const { groups } = await plane.request<{
    groups: { name: string; versions: { version: string; groupVersion: string }[] }[];
  }>("GET", "/apis");
  const places = [
    { group: "", version: "v1", path: "/api/v1" },
    ...groups.flatMap(({ name, versions }) =>
      versions.map(({ version, groupVersion }) => ({ group: name, version, path: `/apis/${groupVersion}` })),
    ),
  ];
  const lists = await Promise.all(
    places.map(async ({ group, version, path }) =>
      (await plane.request<Listed>("GET", path)).resources.map((one): Resource => ({ ...one, group, version })),
    ),
  );
  return lists.flat();
}

async function make(plane: ControlPlane, resource: Resource): Promise<void> {
  const body = objectOf(resource.group, resource.version, resource.kind, "victim");
  try {
    await plane.request("POST", collection(resource), { body });
  } catch (error) {
    // In another version it was made already.
    if (!(error instanceof ApiRefusal) || error.status !== 409) throw error;
  }
}

/** Reading changes nothing, but where it opens a connection. */
function isWritten({ name, verbs }: Resource): boolean {
  return CONNECTED.has(name.split("/")[1] ?? "") || verbs.some((verb) => !["get", "list", "watch"].includes(verb));
}

async function powersOver(plane: ControlPlane, resource: Resource, all: readonly Resource[]): Promise<Power[]> {
  const [base = "", sub = ""] = resource.name.split("/");
  const what = (verb: string): string => `${resource.name}${resource.group === "" ? "" : `.${resource.group}`} ${verb}`;
  const { group, version, kind } = resource;
  if (CONNECTED.has(sub)) {
    const path = `${collection({ ...resource, name: base })}/victim/${sub}`;
    const methods: Readonly<Record<string, Method>> = {
      ...{ get: "GET", create: "POST", update: "PUT", patch: "PATCH", delete: "DELETE" },
    };
    return resource.verbs.flatMap((verb) => {
      const method = methods[verb];
      return method === undefined ? [] : [{ what: what(verb), method, path, options: { query: { command: "true" } } }];
    });
  }
  if (sub !== "" && resource.verbs.length === 1 && resource.verbs[0] === "create") {
    const body = POSTED[sub];
    if (body === undefined) throw new Error(`nobody knows how to create ${resource.name}`);
    const path = `${collection({ ...resource, name: base })}/victim/${sub}`;
    return [{ what: what("create"), method: "POST", path, options: { body } }];
  }
  const powers: Power[] = [];
  const add = (verb: string, method: Method, path: string, options: RequestOptions): void => {
    if (resource.verbs.includes(verb)) powers.push({ what: what(verb), method, path, options });
  };
  if (sub === "") {
    const body = objectOf(group, version, kind, "fresh");
    // What is only created is a question, or names what it is about.
    const { metadata: _none, ...question } = body;
    const kept = resource.verbs.includes("delete");
    add("create", "POST", collection(resource), { body: kept || kind === "Binding" ? body : question });
    if (!kept) return powers;
  }
  const { name } = objectOf(group, version, ownerOf(resource, base, all), "victim").metadata;
  const path = `${collection({ ...resource, name: base })}/${name}${sub === "" ? "" : `/${sub}`}`;
  // What is sent back as it is changes nothing, and is refused by nobody but the policy.
  const there = sub === "finalize" ? path.replace(/\/finalize$/, "") : path;
  if (resource.verbs.includes("update")) {
    add("update", "PUT", path, { body: await plane.request<RequestOptions["body"] & object>("GET", there) });
  }
  add("patch", "PATCH", path, { body: {}, contentType: MERGE });
  add("delete", "DELETE", path, {});
  // Of those that are left: what was created a moment ago, if it was.
  add("deletecollection", "DELETE", collection(resource), { query: ONLY_OURS });
  return powers;
}

/** Subresources that are only created. */
const POSTED: Readonly<Record<string, RequestOptions["body"] & object>> = {
  binding: {
    ...{ apiVersion: "v1", kind: "Binding", metadata: { name: "victim" } },
    target: { apiVersion: "v1", kind: "Node", name: "victim" },
  },
  eviction: { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: "victim" } },
  token: { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} },
};

/** Kind of what a subresource belongs to. */
function ownerOf({ group, version }: Resource, base: string, all: readonly Resource[]): string {
  return all.find((one) => one.group === group && one.version === version && one.name === base)?.kind ?? "";
}

function collection({ group, version, name, namespaced }: Resource): string {
  const root = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
  return namespaced ? `${root}/namespaces/${NAMESPACE}/${name}` : `${root}/${name}`;
}
