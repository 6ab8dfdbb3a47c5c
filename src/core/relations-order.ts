/** In which order a set of objects can be made and removed: what refers comes after what it refers to. */

export interface OrderNode {
  readonly id: string;
  /** Ids that it refers to; those outside of the set are `missing`. */
  readonly refersTo: readonly { readonly id: string; readonly path: string }[];
}

export interface Order {
  /** Each after all that it refers to; equal ones in the order of their ids. Deleting goes the other way round. */
  readonly creation: readonly string[];
  /** Objects that refer to each other in a circle, each circle once: inside it any order leaves somebody waiting. */
  readonly cycles: readonly (readonly string[])[];
  /** References that lead out of the set. */
  readonly missing: readonly { readonly from: string; readonly path: string; readonly to: string }[];
}

/** Strongly connected components after Tarjan, without recursion: a chain may be as long as the set. */
export function orderOf(nodes: readonly OrderNode[]): Order {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const sorted = [...byId.keys()].sort();
  const missing = sorted.flatMap((id) =>
    (byId.get(id)?.refersTo ?? [])
      .filter((reference) => !byId.has(reference.id))
      .map((reference) => ({ from: id, path: reference.path, to: reference.id })),
  );
  const targets = new Map(
    sorted.map((id) => [
      id,
      [...new Set((byId.get(id)?.refersTo ?? []).map((reference) => reference.id))].filter((to) => byId.has(to)).sort(),
    ]),
  );
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const onStack = new Set<string>();
  const stack: string[] = [];
  const creation: string[] = [];
  const cycles: string[][] = [];
  const enter = (id: string): void => {
    index.set(id, index.size);
    low.set(id, index.get(id) ?? 0);
    stack.push(id);
    onStack.add(id);
  };
  const lower = (id: string, to: number): void => {
    low.set(id, Math.min(low.get(id) ?? to, to));
  };
  const leave = (id: string): void => {
    if (low.get(id) !== index.get(id)) return;
    const component = stack.splice(stack.lastIndexOf(id)).sort();
    for (const member of component) onStack.delete(member);
    creation.push(...component);
    if (component.length > 1 || targets.get(id)?.includes(id) === true) cycles.push(component);
  };
  for (const root of sorted) {
    if (index.has(root)) continue;
    const path: { id: string; next: number }[] = [{ id: root, next: 0 }];
    enter(root);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const to = targets.get(top.id)?.[top.next];
      top.next += 1;
      if (to === undefined) {
        path.pop();
        leave(top.id);
        const above = path.at(-1);
        if (above !== undefined) lower(above.id, low.get(top.id) ?? 0);
      } else if (!index.has(to)) {
        enter(to);
        path.push({ id: to, next: 0 });
      } else if (onStack.has(to)) lower(top.id, index.get(to) ?? 0);
    }
  }
  return { creation, cycles, missing };
}
