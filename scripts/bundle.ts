import { copyFile, mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { build, type BuildResult, type Plugin } from "esbuild";

const root = dirname(import.meta.dirname);

/** Output name → entry. */
const ENTRIES = {
  "fabric-sync": join(root, "src/main.ts"),
  "parse-worker": join(root, "src/sources/git/reading/parse-worker.ts"),
};

/**
 * Index files of which the program uses next to nothing, and whose modules all run at every start: what is used of them. A name that is missing
 * fails the build. Measured: 0.9 of 4 MiB of program, 50 ms of CPU at the start, and 7 MiB of resident memory.
 */
const INDEXES = {
  "@kubernetes/client-node/dist/gen/index.js": `export { createConfiguration } from "./configuration.js";
    export { ServerConfiguration } from "./servers.js";`,
  "zod/v4/locales/index.js": `export { default as en } from "./en.js";`,
};

const onlyWhatIsUsed: Plugin = {
  name: "only-what-is-used",
  setup({ onLoad }) {
    for (const [path, contents] of Object.entries(INDEXES)) {
      const filter = new RegExp(`/${path.replaceAll(".", "\\.")}$`);
      onLoad({ filter }, (index) => ({ contents, resolveDir: dirname(index.path) }));
    }
  },
};

/** The oldest Node major that the program supports; what the bundle is written for. */
const NODE_MAJOR = 24;

/**
 * Goes before every bundle. Bundled CommonJS still asks for Node's modules by `require`, which an ES module does not have; and on an older
 * Node the program must say so in words, not by a stack trace from somewhere inside.
 */
const BANNER = `import { createRequire as fabricSyncCreateRequire } from "node:module";
const require = fabricSyncCreateRequire(import.meta.url);
if (Number.parseInt(process.versions.node, 10) < ${NODE_MAJOR}) {
  process.stderr.write(\`fabric-sync needs Node.js ${NODE_MAJOR} or newer, this is \${process.version}\\n\`);
  process.exit(2);
}`;

/**
 * Writes what is shipped into `directory`: one ESM file for the program, one for the worker thread that parses manifests, and the
 * migrations beside them. Nothing else is needed at run time but Node and git. Whole files only: another process may be starting the
 * program at this moment.
 * @returns size of each program in bytes by its path.
 */
export async function bundleInto(directory: string): Promise<ReadonlyMap<string, number>> {
  const { outputFiles } = await bundle(directory);
  await mkdir(directory, { recursive: true });
  const sizes = new Map<string, number>();
  for (const { path, text } of outputFiles) {
    const contents = path.endsWith(".mjs") ? ascii(text) : text;
    const partial = `${path}.${process.pid}`;
    await writeFile(partial, contents, { mode: basename(path) === "fabric-sync.mjs" ? 0o755 : 0o644 });
    await rename(partial, path);
    if (path.endsWith(".mjs")) sizes.set(path, contents.length);
  }
  await copyMigrations(join(directory, "drizzle"));
  return sizes;
}

/**
 * V8 keeps the text of a program for as long as it runs: one byte a character, and two if a single one of them is beyond Latin-1. esbuild
 * escapes those of strings; regular expressions are left to us. Measured: 4 MiB of resident memory.
 */
function ascii(program: string): string {
  return program.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function bundle(directory: string): Promise<BuildResult<{ write: false }>> {
  return build({
    entryPoints: ENTRIES,
    outdir: directory,
    absWorkingDir: root,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    format: "esm",
    target: `node${NODE_MAJOR}`,
    // Names stay, so that a stack trace can be read; the rest of minifying makes the file parse faster.
    minifySyntax: true,
    minifyWhitespace: true,
    banner: { js: BANNER },
    define: { "process.env.NODE_ENV": '"production"' },
    // pg asks for it only when it is told to.
    external: ["pg-native"],
    plugins: [onlyWhatIsUsed],
    legalComments: "linked",
    write: false,
    logLevel: "warning",
  });
}

/** The program applies its own migrations: they travel with it. */
async function copyMigrations(to: string): Promise<void> {
  const from = join(root, "drizzle");
  await mkdir(to, { recursive: true });
  const scripts = (await readdir(from)).filter((name) => name.endsWith(".sql"));
  for (const name of scripts) {
    const partial = join(to, `${name}.${process.pid}`);
    await copyFile(join(from, name), partial);
    await rename(partial, join(to, name));
  }
  const gone = (await readdir(to)).filter((name) => name.endsWith(".sql") && !scripts.includes(name));
  for (const name of gone) await rm(join(to, name), { force: true });
}
