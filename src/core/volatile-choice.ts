import { hash } from "node:crypto";
import { covers, segmentsOf } from "./pointer.ts";
import { BUILT_IN_VOLATILE, compilePaths, DEFAULT_VOLATILE_FIELDS } from "./volatile.ts";
import type { OwnVolatile, VolatileMatcher, VolatilePaths } from "./volatile.ts";

/** One rule of a Fabric: more paths that make no history, or paths of the built-in list (or of a rule before it) that do. */
export interface VolatileRule {
  /** Every group when absent. */
  readonly group?: string;
  /** Every kind when absent. */
  readonly kind?: string;
  /** JSON pointers into the object; `*` stands for one segment. */
  readonly paths: readonly string[];
  /** false takes each of the paths back, with all below it. */
  readonly volatile: boolean;
}

/** Hex digits: enough to tell the choices of one Fabric apart. */
const DIGITS = 16;

/** What the built-in list and the rules come to. Prepared once for each Fabric; each kind when it is first seen. */
export function chooseVolatile(rules: readonly VolatileRule[]): VolatileMatcher {
  if (rules.length === 0) return BUILT_IN_VOLATILE;
  const known = new Map<string, VolatilePaths>();
  return {
    of(apiGroup, kind, hasSpec = true) {
      const key = `${kind}.${apiGroup} ${String(hasSpec)}`;
      const paths = known.get(key) ?? choose(rules, apiGroup, kind, hasSpec);
      known.set(key, paths);
      return paths;
    },
  };
}

/** The paths by which a row has to be read to be compared with what was seen under `own`; the built-in ones when absent. */
export function pathsUnder(own: OwnVolatile | undefined, apiGroup: string, kind: string): VolatilePaths {
  return own === undefined ? BUILT_IN_VOLATILE.of(apiGroup, kind) : compilePaths(own.paths, own);
}

/** Paths that are taken back and were never volatile, as `path (target)`: most likely a slip. */
export function idleTakeBacks(rules: readonly VolatileRule[]): string[] {
  return rules.flatMap((rule, index) => {
    if (rule.volatile) return [];
    const before = rules.slice(0, index).filter((other) => other.volatile && meet(other, rule));
    const known = [...builtInFor(rule), ...before.flatMap(({ paths }) => paths)].map(segmentsOf);
    const target = [rule.kind ?? "every kind", ...(rule.group === undefined ? [] : [`of ${rule.group}`])].join(" ");
    return rule.paths
      .filter((path) => !known.some((one) => covers(segmentsOf(path), one)))
      .map((path) => `${path} (${target})`);
  });
}

function choose(rules: readonly VolatileRule[], apiGroup: string, kind: string, hasSpec: boolean): VolatilePaths {
  const builtIn = [...(DEFAULT_VOLATILE_FIELDS["*"] ?? []), ...(DEFAULT_VOLATILE_FIELDS[`${kind}.${apiGroup}`] ?? [])];
  let chosen = builtIn;
  for (const rule of rules.filter((one) => meet(one, { group: apiGroup, kind }))) {
    chosen = rule.volatile
      ? [...chosen, ...rule.paths]
      : chosen.filter((path) => !rule.paths.some((taken) => covers(segmentsOf(taken), segmentsOf(path))));
  }
  const paths = [...new Set(chosen)].sort();
  if (paths.join("\n") === [...builtIn].sort().join("\n")) return BUILT_IN_VOLATILE.of(apiGroup, kind);
  const inParts = hasSpec ? paths : paths.map(inSpec);
  const digest = hash("sha256", inParts.join("\n"), "hex").slice(0, DIGITS);
  return compilePaths(inParts, { digest, paths: inParts });
}

/** In a kind without `spec` every other top-level field stands in its place. */
function inSpec(path: string): string {
  return /^\/(status|metadata)(\/|$)/.test(path) ? path : `/spec${path}`;
}

/** Whether there may be an object that both concern. */
function meet(a: Pick<VolatileRule, "group" | "kind">, b: Pick<VolatileRule, "group" | "kind">): boolean {
  return (a.group ?? b.group) === (b.group ?? a.group) && (a.kind ?? b.kind) === (b.kind ?? a.kind);
}

function builtInFor(rule: VolatileRule): string[] {
  return Object.entries(DEFAULT_VOLATILE_FIELDS).flatMap(([name, paths]) => {
    if (name === "*") return [...paths];
    const dot = name.indexOf(".");
    return meet(rule, { kind: name.slice(0, dot), group: name.slice(dot + 1) }) ? [...paths] : [];
  });
}
