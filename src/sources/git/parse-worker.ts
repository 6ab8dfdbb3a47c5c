/** The worker thread's side of `parser.ts`: bytes in, manifests as JSON text and rejections out. */
import { parentPort } from "node:worker_threads";
import type { FileRejection } from "../../core/ports.ts";
import { readManifests } from "./manifests.ts";

export interface ParseRequest {
  readonly id: number;
  readonly bytes: Uint8Array;
  readonly maxDocuments: number;
}

/** Objects cross as JSON text: numbers beyond a double survive, and text is cheap to hand over. */
export interface ParsedManifest {
  readonly line: number;
  readonly column: number;
  readonly json: string;
  /** JSON of its `Places`; '' where they are not known. */
  readonly places: string;
}

export interface ParseAnswer {
  readonly id: number;
  readonly manifests: readonly ParsedManifest[];
  readonly rejections: readonly FileRejection[];
}

parentPort?.on("message", ({ id, bytes, maxDocuments }: ParseRequest) => {
  const { manifests, rejections } = readManifests(
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    maxDocuments,
  );
  const texts = manifests.map(({ line, column, object, places }) => ({
    line,
    column,
    json: JSON.stringify(object),
    places: places === undefined ? "" : JSON.stringify(places),
  }));
  parentPort?.postMessage({ id, manifests: texts, rejections } satisfies ParseAnswer);
});
