import type { DriftIgnoreRule } from "./policy.ts";
import { covers, segmentsOf } from "./pointer.ts";
import type { ResourceRow } from "./row.ts";

/**
 * Whether a rule of the Fabric hides a path of this row. A rule's path hides everything below it, too.
 * @param managers who owns the path in the cluster; asked for only where a rule wants to know
 */
export type Ignores = (path: readonly string[], managers: () => readonly string[]) => boolean;

/**
 * The rules that concern a row, made ready. What a rule leaves out matches anything; labels must all be there; a rule with managers holds only
 * for paths that one of them owns.
 */
export function ignoresFor(row: ResourceRow, rules: readonly DriftIgnoreRule[]): Ignores {
  const concerning = rules
    .filter((rule) => concerns(rule, row))
    .map(({ paths, managers }) => ({ patterns: paths.map(segmentsOf), managers }));
  return (path, managersOf) =>
    concerning.some(
      ({ patterns, managers }) =>
        patterns.some((pattern) => covers(pattern, path)) &&
        (managers === undefined || managersOf().some((manager) => managers.includes(manager))),
    );
}

function concerns(rule: DriftIgnoreRule, row: ResourceRow): boolean {
  return (
    (rule.group ?? row.apiGroup) === row.apiGroup &&
    (rule.kind ?? row.kind) === row.kind &&
    (rule.namespace ?? row.namespace) === row.namespace &&
    (rule.name ?? row.name) === row.name &&
    Object.entries(rule.labels ?? {}).every(([name, value]) => row.labels[name] === value)
  );
}
