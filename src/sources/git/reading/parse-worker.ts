/** The worker thread's side of `parser.ts`: files in, manifests as JSON text and rejections out. */
import { parentPort, workerData } from "node:worker_threads";
import { messageOf } from "../../../core/errors.ts";
import { identify } from "../../../core/normalise.ts";
import type { Places } from "../../../core/places.ts";
import type { FileRejection } from "../../../core/ports.ts";
import type { Manifest } from "./manifests.ts";
import { readManifests } from "./manifests.ts";

/** Some files, one after the other in one buffer that is handed over. */
export interface ParseRequest {
  readonly id: number;
  readonly bytes: Uint8Array;
  readonly files: readonly { readonly length: number; readonly maxDocuments: number }[];
}

/** Objects cross as JSON text: numbers beyond a double survive, and text is cheap to hand over. */
export interface ParsedManifest {
  readonly line: number;
  readonly column: number;
  readonly apiGroup: string;
  readonly kind: string;
  /** As it is declared, '' for none. */
  readonly namespace: string;
  readonly name: string;
  readonly json: string;
  readonly places: Places;
}

/** What a blob holds. */
export interface ParsedBlob {
  readonly manifests: readonly ParsedManifest[];
  readonly rejections: readonly FileRejection[];
}

export interface ParseAnswer {
  readonly id: number;
  readonly files: readonly ParsedBlob[];
}

/** Index of the file that is being parsed: what is to blame when the thread must be ended. */
const progress = new Int32Array(workerData as SharedArrayBuffer);

parentPort?.on("message", ({ id, bytes, files }: ParseRequest) => {
  let start = 0;
  const parsed = files.map(({ length, maxDocuments }, index) => {
    Atomics.store(progress, 0, index);
    const file = Buffer.from(bytes.buffer, bytes.byteOffset + start, length);
    start += length;
    return parse(file, maxDocuments);
  });
  parentPort?.postMessage({ id, files: parsed } satisfies ParseAnswer);
});

function parse(file: Buffer, maxDocuments: number): ParsedBlob {
  const { manifests, rejections } = readManifests(file, maxDocuments);
  const refused = [...rejections];
  const parsed = manifests.flatMap((manifest) => {
    try {
      return [asText(manifest)];
    } catch (error) {
      const { line, column } = manifest;
      refused.push({ line, column, code: "MalformedObject", message: messageOf(error) });
      return [];
    }
  });
  return { manifests: parsed, rejections: refused };
}

function asText({ line, column, object, places }: Manifest): ParsedManifest {
  const { apiGroup, kind, namespace, name } = identify(object, { fabricId: "" }).key;
  return { line, column, apiGroup, kind, namespace, name, json: JSON.stringify(object), places };
}
