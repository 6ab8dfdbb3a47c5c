/** The part of a control plane, or of a kubectl on somebody's cluster, that is needed here. */
interface Kubectl {
  kubectl(args: readonly string[], stdin?: string): Promise<string>;
}

interface ClusterRole {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly rules?: readonly object[] | null;
  readonly aggregationRule?: {
    readonly clusterRoleSelectors?: readonly { readonly matchLabels?: Readonly<Record<string, string>> }[];
  };
}

/**
 * Fills in one aggregated ClusterRole, as the clusterrole-aggregation controller of kube-controller-manager does; our control
 * planes run no controllers. Where one runs, it has done the same already.
 */
export async function aggregateClusterRole(cluster: Kubectl, name: string): Promise<void> {
  const all = JSON.parse(await cluster.kubectl(["get", "clusterroles", "-o", "json"])) as { items: ClusterRole[] };
  const selectors = all.items.find((role) => role.metadata.name === name)?.aggregationRule?.clusterRoleSelectors ?? [];
  const selected = all.items.filter((role) =>
    selectors.some(({ matchLabels = {} }) =>
      Object.entries(matchLabels).every(([key, value]) => role.metadata.labels?.[key] === value),
    ),
  );
  const rules = selected
    .filter((role) => role.metadata.name !== name)
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
    .flatMap((role) => role.rules ?? []);
  await cluster.kubectl(["patch", "clusterrole", name, "--type=merge", "-p", JSON.stringify({ rules })]);
}
