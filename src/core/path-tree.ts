/**
 * Rules for paths (`*` stands for one segment) as a tree, so that a walk over an object takes one step in the tree for each step in
 * the object, however many rules there are.
 */
export interface PathTree<T> {
  readonly children: ReadonlyMap<string, PathTree<T>>;
  /** The rule of exactly this path; of several, the last given. */
  readonly rule: T | undefined;
}

export function pathTree<T>(rules: readonly (readonly [path: readonly string[], rule: T])[]): PathTree<T> {
  const heads = new Set(rules.flatMap(([[head]]) => (head === undefined ? [] : [head])));
  const children = new Map<string, PathTree<T>>();
  for (const head of heads) {
    // A `*` is merged into the names beside it, so that one look-up decides.
    const below = rules.filter(([[first]]) => first !== undefined && (first === head || first === "*"));
    children.set(head, pathTree(below.map(([path, rule]) => [path.slice(1), rule] as const)));
  }
  return { children, rule: rules.findLast(([path]) => path.length === 0)?.[1] };
}

/** The subtree for what is under `segment`; null when no rule leads there. */
export function step<T>(tree: PathTree<T> | null, segment: string): PathTree<T> | null {
  return tree === null ? null : (tree.children.get(segment) ?? tree.children.get("*") ?? null);
}
