import ignore from "ignore";
import picomatch from "picomatch";
import { normalPath } from "./tree.ts";
import type { TreeEntry } from "./tree.ts";

/** Which files of a tree are manifests. */
export interface SelectionRules {
  /** `spec.git.path`. */
  readonly path: string;
  /** Globs, relative to `path`; `**` crosses folders. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

export interface Selection {
  /** In byte order of their paths. */
  readonly entries: readonly TreeEntry[];
  /** What was recognised and is not read. */
  readonly warnings: readonly string[];
}

export const IGNORE_FILE = ".fabricsyncignore";
const KUSTOMIZATION = /(^|\/)(kustomization\.ya?ml|Kustomization)$/;
const CHART = /(^|\/)Chart\.yaml$/;

/** The `.fabricsyncignore` files of a tree: they must be read before {@link selectFiles}. */
export function ignoreFiles(entries: readonly TreeEntry[]): TreeEntry[] {
  return entries.filter(
    ({ type, path }) => type === "file" && (path === IGNORE_FILE || path.endsWith(`/${IGNORE_FILE}`)),
  );
}

/**
 * Chooses the files to read: those that `include` names and neither `exclude` nor a `.fabricsyncignore` takes out (gitignore's syntax,
 * each for its own folder and those below). Helm charts and kustomizations are templates of manifests, not manifests: a chart's folder is
 * left out as a whole, a kustomization.yaml by itself, and each is named in a warning.
 * @param ignores text of each ignore file by its path.
 */
export function selectFiles(
  entries: readonly TreeEntry[],
  rules: SelectionRules,
  ignores: ReadonlyMap<string, string>,
): Selection {
  const root = normalPath(rules.path);
  const prefix = root === "" ? "" : `${root}/`;
  // `dot`: a file in .github is as good as any other when a glob names it.
  const included = picomatch([...rules.include], { dot: true });
  const excluded = rules.exclude.length === 0 ? () => false : picomatch([...rules.exclude], { dot: true });
  const ignored = ignoreTest(ignores);
  const charts = entries
    .filter(({ type, path }) => type === "file" && CHART.test(path))
    .map(({ path }) => folderOf(path));
  const inChart = chartTest(charts);
  const left = new Map<string, number>(charts.map((chart) => [chart, 0]));

  const chosen: TreeEntry[] = [];
  const warnings: string[] = [];
  for (const entry of entries) {
    const relative = entry.path.slice(prefix.length);
    const kustomization = KUSTOMIZATION.test(entry.path);
    // What lies in folders that are too deep is not known by its name.
    if (
      !(included(relative) || kustomization || entry.type === "too-deep") ||
      excluded(relative) ||
      ignored(entry.path)
    )
      continue;
    const chart = inChart(entry.path);
    if (chart !== null) left.set(chart, (left.get(chart) ?? 0) + 1);
    else if (kustomization)
      warnings.push(`${entry.path}: kustomizations are not built; the manifests beside it are read as they are`);
    else chosen.push(entry);
  }
  for (const [chart, files] of left) {
    if (files === 0) continue;
    warnings.push(
      `${chart === "" ? "" : `${chart}/`}Chart.yaml: Helm charts are not rendered; ${files} files of it are not read`,
    );
  }
  chosen.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  return { entries: chosen, warnings: warnings.sort() };
}

function folderOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "" : path.slice(0, slash);
}

/** The outermost chart that a path belongs to, null for none. */
function chartTest(charts: readonly string[]): (path: string) => string | null {
  if (charts.length === 0) return () => null;
  const outermost = new Set(charts);
  return (path) => {
    if (outermost.has("")) return "";
    for (let slash = path.indexOf("/"); slash >= 0; slash = path.indexOf("/", slash + 1)) {
      const folder = path.slice(0, slash);
      if (outermost.has(folder)) return folder;
    }
    return null;
  };
}

/** As git does: the rules of each folder apply to what is below it, and those in a folder that is taken out are not even read. */
function ignoreTest(ignores: ReadonlyMap<string, string>): (path: string) => boolean {
  if (ignores.size === 0) return () => false;
  const matchers: { readonly prefix: string; readonly rules: ignore.Ignore }[] = [];
  const isOut = (path: string): boolean => {
    let out = false;
    for (const { prefix, rules } of matchers) {
      if (!path.startsWith(prefix) || path.length === prefix.length) continue;
      const relative = path.slice(prefix.length);
      if (!ignore.isPathValid(relative)) continue;
      const verdict = rules.test(relative);
      if (verdict.ignored) out = true;
      else if (verdict.unignored) out = false;
    }
    return out;
  };
  const found = [...ignores].map(([file, text]) => {
    const folder = folderOf(file);
    return { prefix: folder === "" ? "" : `${folder}/`, text };
  });
  // The deepest folder speaks last.
  for (const { prefix, text } of found.sort((a, b) => a.prefix.length - b.prefix.length)) {
    if (!isOut(prefix)) matchers.push({ prefix, rules: ignore({ ignorecase: false }).add(text) });
  }
  return isOut;
}
