import type { FabricSpec } from "../api/fabric.ts";
import type { VolatileRule } from "../core/volatile-choice.ts";

/** What a Fabric says about paths that make no history. */
export function volatileRules({ cluster }: Pick<FabricSpec, "cluster">): VolatileRule[] {
  return (cluster?.volatilePaths ?? []).map(({ target, paths, volatile }) => ({
    ...(target?.group === undefined ? {} : { group: target.group }),
    ...(target?.kind === undefined ? {} : { kind: target.kind }),
    paths,
    volatile,
  }));
}
