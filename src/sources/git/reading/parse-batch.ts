import type { FileRejection } from "../../../core/ports.ts";
import type { ParsedBlob, ParsedManifest, ParsedPiece, ParseRequest } from "./parse-messages.ts";

/** A file that waits for the worker thread. */
export interface Job {
  readonly bytes: Buffer;
  readonly maxDocuments: number;
  readonly resolve: (parsed: ParsedBlob) => void;
  readonly reject: (error: Error) => void;
}

/** Files that are with the worker as one message, and what has come of each so far. */
export class Batch {
  readonly id: number;
  readonly jobs: readonly Job[];
  readonly #found: readonly { readonly manifests: ParsedManifest[]; readonly rejections: FileRejection[] }[];

  constructor(id: number, jobs: readonly Job[]) {
    this.id = id;
    this.jobs = jobs;
    this.#found = jobs.map(() => ({ manifests: [], rejections: [] }));
  }

  take(pieces: readonly ParsedPiece[]): void {
    for (const { file, manifests, rejections } of pieces) {
      this.#found[file]?.manifests.push(...manifests);
      this.#found[file]?.rejections.push(...rejections);
    }
  }

  /** All of it has come. */
  resolve(): void {
    this.#found.forEach((parsed, index) => this.jobs[index]?.resolve(parsed));
  }
}

/** Files and bytes of one message: a message costs as much as parsing a small file, and what it holds is in memory twice. */
const BATCH_FILES = 64;
const BATCH_BYTES = 256 * 1024;

/** Takes the files of the next message from the queue: one at least. */
export function nextJobs(queue: Job[]): Job[] {
  let bytes = 0;
  let count = 0;
  for (const job of queue) {
    bytes += job.bytes.length;
    if (count > 0 && (count >= BATCH_FILES || bytes > BATCH_BYTES)) break;
    count += 1;
  }
  return queue.splice(0, count);
}

/**
 * The files in one piece of memory: of its own, which goes over to the thread (`transfer`), or that of a large file, which both may read. The jobs keep
 * their bytes in either case, for another thread if this one dies.
 */
export function requestOf({ id, jobs }: Batch): { request: ParseRequest; transfer: ArrayBuffer[] } {
  const files = jobs.map((job) => ({ length: job.bytes.length, maxDocuments: job.maxDocuments }));
  const [first] = jobs;
  if (jobs.length === 1 && first?.bytes.buffer instanceof SharedArrayBuffer)
    return { request: { id, bytes: first.bytes, files }, transfer: [] };
  const memory = new ArrayBuffer(files.reduce((sum, { length }) => sum + length, 0));
  const bytes = new Uint8Array(memory);
  let start = 0;
  for (const job of jobs) {
    bytes.set(job.bytes, start);
    start += job.bytes.length;
  }
  return { request: { id, bytes, files }, transfer: [memory] };
}
