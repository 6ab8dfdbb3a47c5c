import { join } from "node:path";
import { build } from "esbuild";

const root = join(import.meta.dirname, "../..");

/** Bundles a module of the repository into the folder, as the image has it. @returns its path. */
export async function bundle(entry: string, directory: string): Promise<string> {
  const js = "import{createRequire}from'node:module';const require=createRequire(import.meta.url);";
  const outfile = join(directory, entry.replace(/^.*\/(.*)\.ts$/, "$1.mjs"));
  await build({
    entryPoints: [join(root, entry)],
    outfile,
    banner: { js },
    bundle: true,
    platform: "node",
    format: "esm",
    external: ["pg-native"],
  });
  return outfile;
}
