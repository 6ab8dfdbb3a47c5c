import { fileURLToPath } from "node:url";
import { parseAllDocuments } from "yaml";
import { controlPlane } from "../support/shared-control-plane.ts";

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly rules?: readonly PolicyRule[];
  readonly roleRef?: { readonly kind: string; readonly name: string };
  readonly subjects?: readonly { readonly kind: string; readonly name: string; readonly namespace: string }[];
  readonly [field: string]: unknown;
}
export interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

export const folder = (path: string): string => fileURLToPath(new URL(`../../deploy/${path}`, import.meta.url));

/** What `kubectl kustomize deploy/PATH` gives. */
export async function rendered(path: string): Promise<Manifest[]> {
  return documents(await controlPlane.kubectl(["kustomize", folder(path)]));
}

export function documents(text: string): Manifest[] {
  return parseAllDocuments(text).map((document) => document.toJS() as Manifest);
}

export function named(manifests: readonly Manifest[], kind: string, name: string): Manifest {
  const found = manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name);
  if (found === undefined) throw new Error(`no ${kind} ${name}`);
  return found;
}
