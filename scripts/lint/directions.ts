import { dirname, relative, resolve, sep } from "node:path";

/**
 * Which folder of src/ may import which others; see "Directions" in ARCHITECTURE.md. A folder always may import itself. What stands
 * here is the whole truth: a folder that is missing may be imported by nobody and import nothing.
 */
export const DIRECTIONS: Readonly<Record<string, readonly string[]>> = {
  // Pure, and the owner of every contract between the others.
  core: [],
  api: ["core"],
  projections: ["core"],
  pump: ["core"],
  "sources/cluster": ["core"],
  "sources/git": ["core"],
  // Behind the ports of core: only who composes the program knows that it is there.
  store: ["core", "projections"],
  controller: ["api", "core", "pump", "sources/cluster", "sources/git"],
  http: ["api", "controller", "core"],
  "config.ts": ["config-value.ts", "core", "database-url.ts", "settings.ts"],
  "config-value.ts": ["core"],
  "database-url.ts": ["config-value.ts", "core"],
  "settings.ts": ["core"],
  "log.ts": ["core"],
  cli: [
    "api",
    "config.ts",
    "controller",
    "core",
    "http",
    "log.ts",
    "pump",
    "settings.ts",
    "sources/cluster",
    "sources/git",
    "store",
  ],
  "main.ts": ["cli", "core", "log.ts"],
};

/** Modules of Node that core may use: it computes, and touches nothing outside of the process. */
const CORE_MAY_USE = new Set(["node:crypto", "node:util"]);

/**
 * Why `file` may not import `specifier`, or null when it may. Paths outside of src/ are free.
 * @param root directory of the checkout.
 */
export function refusal(root: string, file: string, specifier: string): string | null {
  const from = partOf(root, file);
  if (from === null) return null;
  if (!specifier.startsWith(".")) {
    if (from !== "core" || CORE_MAY_USE.has(specifier)) return null;
    return `core is pure: it may not import ${specifier}`;
  }
  const to = partOf(root, resolve(dirname(file), specifier));
  // The program knows its own version from package.json.
  if (to === null)
    return specifier.endsWith("/package.json") ? null : `src may not import ${specifier}, which is outside of it`;
  if (from === to || DIRECTIONS[from]?.includes(to) === true) return null;
  return `${from} may not import ${to}; it may import ${DIRECTIONS[from]?.join(", ") || "nothing"} (scripts/lint/directions.ts)`;
}

/** `core`, `sources/git`, `main.ts`: the part of src/ that a file belongs to; null outside of src/. */
function partOf(root: string, file: string): string | null {
  const [src, first, second, ...rest] = relative(root, file).split(sep);
  if (src !== "src" || first === undefined) return null;
  return first === "sources" && second !== undefined && rest.length > 0 ? `sources/${second}` : first;
}
