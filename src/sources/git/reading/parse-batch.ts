import type { ParsedBlob, ParseRequest } from "./parse-worker.ts";

/** A file that waits for the worker thread. */
export interface Job {
  readonly bytes: Buffer;
  readonly maxDocuments: number;
  readonly resolve: (parsed: ParsedBlob) => void;
  readonly reject: (error: Error) => void;
}

/** Files that are with the worker as one message. */
export interface Batch {
  readonly id: number;
  readonly jobs: readonly Job[];
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

/** The files in one piece of memory of its own, which goes over to the thread. */
export function requestOf({ id, jobs }: Batch): ParseRequest {
  const bytes = new Uint8Array(jobs.reduce((sum, job) => sum + job.bytes.length, 0));
  let start = 0;
  for (const job of jobs) {
    bytes.set(job.bytes, start);
    start += job.bytes.length;
  }
  return {
    id,
    bytes,
    files: jobs.map((job) => ({ length: job.bytes.length, maxDocuments: job.maxDocuments })),
  };
}
