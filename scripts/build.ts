/** `npm run build [DIRECTORY]`: the shipped program into dist/, or another directory. Run by `npm ci` and by the Dockerfile. */
import { dirname, join, relative, resolve } from "node:path";
import { bundleInto } from "./bundle.ts";

const root = dirname(import.meta.dirname);
const directory = resolve(process.argv[2] ?? join(root, "dist"));
const started = performance.now();
for (const [path, bytes] of await bundleInto(directory)) {
  console.log(`${relative(process.cwd(), path)}  ${Math.round(bytes / 1024)} KiB`);
}
console.log(`built in ${Math.round(performance.now() - started)} ms`);
