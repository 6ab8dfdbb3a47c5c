/** The worker thread's side of `parser.ts`: files in, manifests as JSON text and rejections out. */
import { parentPort, workerData } from "node:worker_threads";
import { messageOf } from "../../../core/errors.ts";
import { identify } from "../../../core/normalise.ts";
import type { Manifest } from "./manifests.ts";
import { readManifests } from "./manifests.ts";
import { PROGRESS } from "./parse-messages.ts";
import type { ParseAnswer, ParsedBlob, ParsedManifest, ParsedPiece, ParseRequest } from "./parse-messages.ts";

/** Documents that cross at once. Taking them over takes the event loop a millisecond; it gets its turn before the next ones are sent. */
const DOCUMENTS_AT_ONCE = 1_000;

const progress = new Int32Array(workerData as SharedArrayBuffer);

parentPort?.on("message", ({ id, bytes, files }: ParseRequest) => {
  let start = 0;
  let pieces: ParsedPiece[] = [];
  let documents = 0;
  for (const [file, { length, maxDocuments }] of files.entries()) {
    Atomics.store(progress, PROGRESS.file, file);
    const blob = parse(Buffer.from(bytes.buffer, bytes.byteOffset + start, length), maxDocuments);
    start += length;
    for (const piece of piecesOf(blob, file)) {
      if (documents >= DOCUMENTS_AT_ONCE) {
        const taken = Atomics.load(progress, PROGRESS.taken);
        parentPort?.postMessage({ id, pieces, more: true } satisfies ParseAnswer);
        Atomics.wait(progress, PROGRESS.taken, taken);
        [pieces, documents] = [[], 0];
      }
      pieces.push(piece);
      documents += piece.manifests.length + piece.rejections.length;
    }
  }
  parentPort?.postMessage({ id, pieces, more: false } satisfies ParseAnswer);
});

/** One at least. */
function* piecesOf({ manifests, rejections }: ParsedBlob, file: number): Generator<ParsedPiece> {
  let from = 0;
  do {
    const to = from + DOCUMENTS_AT_ONCE;
    yield { file, manifests: manifests.slice(from, to), rejections: rejections.slice(from, to) };
    from = to;
  } while (from < manifests.length || from < rejections.length);
}

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
