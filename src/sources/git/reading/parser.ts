import { Worker } from "node:worker_threads";
import { PARSE_DEADLINE_MS } from "../limits.ts";
import { Batch, nextJobs, requestOf } from "./parse-batch.ts";
import type { Job } from "./parse-batch.ts";
import { PROGRESS } from "./parse-messages.ts";
import type { ParseAnswer, ParsedBlob } from "./parse-messages.ts";

interface Cached {
  readonly parsed: Promise<ParsedBlob>;
  bytes: number;
}

/** Batches that lie with the worker at once: it never waits for us. */
const WINDOW = 2;
/** ms without work after which the thread, some 20 MB, ends; one that has read a large revision keeps what its heap grew to, and ends sooner. */
const IDLE_MS = 30_000;
const TIRED_IDLE_MS = 1_000;
/** Bytes after which it is tired. */
const TIRING_BYTES = 16 * 1024 * 1024;
/**
 * Heap of the thread, MB: half of what the pod may have. A CustomResourceDefinition of 1 MiB takes 96 by the library; what needs more is killed like
 * what takes too long.
 */
const WORKER_HEAP_MB = 256;
/** ms after which a thread that has not begun is given up, and nobody blamed: a busy machine takes seconds to start one. */
const START_MS = 60_000;
/** Of it the young part, MB: what a batch leaves behind is garbage, and a larger one only makes the process larger. */
const WORKER_YOUNG_MB = 12;
/** In the place of the index of the file that the thread is at. */
const NOT_BEGUN = -1;
/** Bytes of parsed blobs that are kept for the other Fabrics on the same push. */
const CACHE_BYTES = 8 * 1024 * 1024;

/** Under node the TypeScript file itself, in the bundle the entry beside it. */
function workerUrl(): URL {
  return new URL(import.meta.url.endsWith(".ts") ? "./parse-worker.ts" : "./parse-worker.mjs", import.meta.url);
}

/**
 * Parses blobs in a worker thread, so that no file can hold up the event loop, and ends the thread when one file takes longer than
 * the deadline: that file is refused, the others go on in a new thread. One blob is parsed once for all who ask within a short time.
 */
export class ManifestParser {
  readonly #deadlineMs: number;
  readonly #workerUrl: URL;
  readonly #cache = new Map<string, Cached>();
  #cachedBytes = 0;
  #worker: Worker | null = null;
  #progress = newProgress();
  #queue: Job[] = [];
  #sent: Batch[] = [];
  #gathering = false;
  #deadline: NodeJS.Timeout | null = null;
  #idle: NodeJS.Timeout | null = null;
  #nextId = 1;
  /** Bytes that the thread was given since it began. */
  #given = 0;
  #startedAt = 0;
  #closed = false;

  /** @param options.workerUrl the thread's module; the one beside this file when absent. */
  constructor(options: { deadlineMs?: number; workerUrl?: URL } = {}) {
    this.#deadlineMs = options.deadlineMs ?? PARSE_DEADLINE_MS;
    this.#workerUrl = options.workerUrl ?? workerUrl();
  }

  /** Parses the blob with this id; `load` is called only when it is not known from a moment ago. */
  parseBlob(blob: string, load: () => Promise<Buffer>, maxDocuments: number): Promise<ParsedBlob> {
    const key = `${blob} ${maxDocuments}`;
    const known = this.#cache.get(key);
    if (known) return known.parsed;
    const entry: Cached = { bytes: 0, parsed: load().then((bytes) => this.parse(bytes, maxDocuments)) };
    this.#cache.set(key, entry);
    entry.parsed.then(
      (parsed) => {
        entry.bytes = parsed.manifests.reduce((sum, { json, places }) => sum + json.length + places.length + 512, 512);
        this.#cachedBytes += entry.bytes;
        this.#evict();
      },
      () => this.#cache.delete(key),
    );
    return entry.parsed;
  }

  /** Something is about to be parsed: starts the thread, which takes some 100 ms, while it is fetched. */
  warm(): void {
    if (this.#closed) return;
    this.#start();
    this.#pump();
  }

  /** Parses a file's bytes. */
  parse(bytes: Buffer, maxDocuments: number): Promise<ParsedBlob> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(new Error("the parser is closed"));
      this.#queue.push({ bytes, maxDocuments, resolve, reject });
      if (this.#gathering) return;
      // What one read from git brings goes to the worker together.
      this.#gathering = true;
      setImmediate(() => {
        this.#gathering = false;
        if (!this.#closed) this.#pump();
      });
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const { reject } of [...this.#sent.flatMap(({ jobs }) => jobs), ...this.#queue])
      reject(new Error("the parser is closed"));
    this.#sent = [];
    this.#queue = [];
    this.#cache.clear();
    await this.#endWorker();
  }

  #pump(): void {
    if (this.#idle) clearTimeout(this.#idle);
    this.#idle = null;
    while (this.#sent.length < WINDOW && this.#queue.length > 0) {
      const batch = new Batch(this.#nextId++, nextJobs(this.#queue));
      this.#sent.push(batch);
      const { request, transfer } = requestOf(batch);
      this.#given += request.bytes.length;
      this.#start().postMessage(request, transfer);
      if (this.#sent.length === 1) this.#armDeadline();
    }
    if (this.#sent.length === 0 && this.#worker) {
      const idleMs = this.#given > TIRING_BYTES ? TIRED_IDLE_MS : IDLE_MS;
      this.#idle = setTimeout(() => void this.#endWorker(), idleMs);
      this.#idle.unref();
      this.#worker.unref();
    }
  }

  #start(): Worker {
    if (!this.#worker) {
      this.#given = 0;
      this.#startedAt = performance.now();
      const progress = newProgress();
      this.#progress = progress;
      const worker = new Worker(this.#workerUrl, {
        // The environment and the arguments of this process are none of its business.
        env: {},
        argv: [],
        workerData: progress.buffer,
        execArgv: ["--disable-warning=ExperimentalWarning"],
        resourceLimits: {
          maxOldGenerationSizeMb: WORKER_HEAP_MB,
          maxYoungGenerationSizeMb: WORKER_YOUNG_MB,
          stackSizeMb: 4,
        },
      });
      worker.on("message", (answer: ParseAnswer) => this.#answered(worker, progress, answer));
      worker.on("error", (error) => this.#refuseCurrent(worker, failureOf(error)));
      worker.on("exit", () => this.#refuseCurrent(worker, "the parser ended"));
      this.#worker = worker;
    }
    this.#worker.ref();
    return this.#worker;
  }

  #answered(worker: Worker, progress: Int32Array, { id, pieces, more }: ParseAnswer): void {
    const [batch] = this.#sent;
    if (worker !== this.#worker || batch?.id !== id) return;
    batch.take(pieces);
    if (more) {
      this.#armDeadline();
      // Not before the event loop had its turn.
      setImmediate(() => {
        Atomics.add(progress, PROGRESS.taken, 1);
        Atomics.notify(progress, PROGRESS.taken);
      });
      return;
    }
    this.#sent.shift();
    batch.resolve();
    this.#armDeadline();
    this.#pump();
  }

  /** The clock runs for the file that the worker is at; at its end we look whether it is still the same one. */
  #armDeadline(): void {
    if (this.#deadline) clearTimeout(this.#deadline);
    this.#deadline = null;
    const worker = this.#worker;
    if (this.#sent.length === 0 || !worker) return;
    const [batch] = this.#sent;
    const at = Atomics.load(this.#progress, PROGRESS.file);
    const look = (): void => {
      if (this.#sent[0] !== batch) return;
      if (Atomics.load(this.#progress, PROGRESS.file) !== at) this.#armDeadline();
      else if (at === NOT_BEGUN && performance.now() - this.#startedAt < START_MS) this.#armDeadline();
      else this.#refuseCurrent(worker, `parsing took longer than ${this.#deadlineMs} ms`);
    };
    // Where we were held up ourselves, the answer may be there already: it comes before the look.
    this.#deadline = setTimeout(() => setImmediate(look), this.#deadlineMs);
  }

  /** The thread is lost or given up: the file it was at is refused, all others that lay there go to the next thread. */
  #refuseCurrent(worker: Worker, message: string): void {
    if (worker !== this.#worker) return;
    const jobs = this.#sent.flatMap((batch) => batch.jobs);
    const current = this.#sent.length === 0 ? -1 : Atomics.load(this.#progress, PROGRESS.file);
    this.#sent = [];
    this.#queue.unshift(...jobs.filter((_, index) => index !== current));
    void this.#endWorker();
    const rejection = { line: 1, column: 1, code: "ParseTooCostly", message };
    jobs[current]?.resolve({ manifests: [], rejections: [rejection] });
    this.#pump();
  }

  async #endWorker(): Promise<void> {
    const worker = this.#worker;
    this.#worker = null;
    for (const timer of [this.#deadline, this.#idle]) if (timer) clearTimeout(timer);
    this.#deadline = null;
    this.#idle = null;
    if (worker) await worker.terminate();
  }

  #evict(): void {
    for (const [key, entry] of this.#cache) {
      if (this.#cachedBytes <= CACHE_BYTES) return;
      if (entry.bytes === 0) continue;
      this.#cache.delete(key);
      this.#cachedBytes -= entry.bytes;
    }
  }
}

function newProgress(): Int32Array<SharedArrayBuffer> {
  const progress = new Int32Array(new SharedArrayBuffer(PROGRESS.length * Int32Array.BYTES_PER_ELEMENT));
  progress[PROGRESS.file] = NOT_BEGUN;
  return progress;
}

function failureOf(error: unknown): string {
  const code = (error as { code?: unknown }).code;
  return code === "ERR_WORKER_OUT_OF_MEMORY" ? "parsing took too much memory" : "the parser failed";
}
