import { Worker } from "node:worker_threads";
import type { FileRejection } from "../../core/ports.ts";
import { PARSE_DEADLINE_MS } from "./limits.ts";
import type { ParseAnswer, ParsedManifest, ParseRequest } from "./parse-worker.ts";

/** What a blob holds. */
export interface ParsedBlob {
  readonly manifests: readonly ParsedManifest[];
  readonly rejections: readonly FileRejection[];
}

interface Job {
  readonly request: ParseRequest;
  readonly resolve: (parsed: ParsedBlob) => void;
  readonly reject: (error: Error) => void;
}

interface Cached {
  readonly parsed: Promise<ParsedBlob>;
  bytes: number;
}

/** Files that lie in the worker's queue at once: enough that it never waits for us, few enough to hand to another when it is killed. */
const WINDOW = 16;
/** ms without work after which the thread, some 20 MB, ends. */
const IDLE_MS = 30_000;
/** Heap of the thread, MB: the largest file allowed (16 MiB) parses in less. What needs more is killed like what takes too long. */
const WORKER_HEAP_MB = 512;
/** Bytes of parsed blobs that are kept for the other Fabrics on the same push. */
const CACHE_BYTES = 16 * 1024 * 1024;

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
  readonly #cache = new Map<string, Cached>();
  #cachedBytes = 0;
  #worker: Worker | null = null;
  #queue: Job[] = [];
  #sent: Job[] = [];
  #deadline: NodeJS.Timeout | null = null;
  #idle: NodeJS.Timeout | null = null;
  #nextId = 1;
  #closed = false;

  constructor(options: { deadlineMs?: number } = {}) {
    this.#deadlineMs = options.deadlineMs ?? PARSE_DEADLINE_MS;
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
        entry.bytes = parsed.manifests.reduce((sum, { json }) => sum + json.length + 64, 128);
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
      this.#queue.push({ request: { id: this.#nextId++, bytes, maxDocuments }, resolve, reject });
      this.#pump();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const { reject } of [...this.#sent, ...this.#queue]) reject(new Error("the parser is closed"));
    this.#sent = [];
    this.#queue = [];
    this.#cache.clear();
    await this.#endWorker();
  }

  #pump(): void {
    if (this.#idle) clearTimeout(this.#idle);
    this.#idle = null;
    while (this.#sent.length < WINDOW) {
      const job = this.#queue.shift();
      if (!job) break;
      this.#sent.push(job);
      this.#start().postMessage(job.request);
      if (this.#sent.length === 1) this.#armDeadline();
    }
    if (this.#sent.length === 0 && this.#worker) {
      this.#idle = setTimeout(() => void this.#endWorker(), IDLE_MS);
      this.#idle.unref();
      this.#worker.unref();
    }
  }

  #start(): Worker {
    if (!this.#worker) {
      const worker = new Worker(workerUrl(), {
        // The environment and the arguments of this process are none of its business.
        env: {},
        argv: [],
        execArgv: ["--disable-warning=ExperimentalWarning"],
        resourceLimits: { maxOldGenerationSizeMb: WORKER_HEAP_MB, stackSizeMb: 4 },
      });
      worker.on("message", (answer: ParseAnswer) => this.#answered(worker, answer));
      worker.on("error", (error) => this.#refuseHead(worker, failureOf(error)));
      worker.on("exit", () => this.#refuseHead(worker, "the parser ended"));
      this.#worker = worker;
    }
    this.#worker.ref();
    return this.#worker;
  }

  #answered(worker: Worker, answer: ParseAnswer): void {
    if (worker !== this.#worker || this.#sent[0]?.request.id !== answer.id) return;
    const job = this.#sent.shift();
    job?.resolve({ manifests: answer.manifests, rejections: answer.rejections });
    this.#armDeadline();
    this.#pump();
  }

  /** The clock runs for the first file of the queue: those behind it have not been begun. */
  #armDeadline(): void {
    if (this.#deadline) clearTimeout(this.#deadline);
    this.#deadline = null;
    const worker = this.#worker;
    if (this.#sent.length === 0 || !worker) return;
    this.#deadline = setTimeout(() => {
      this.#refuseHead(worker, `parsing took longer than ${this.#deadlineMs} ms`);
    }, this.#deadlineMs);
  }

  /** The thread is lost or given up: the file it was at is refused, what had been sent after it goes to the next thread. */
  #refuseHead(worker: Worker, message: string): void {
    if (worker !== this.#worker) return;
    const [head, ...others] = this.#sent;
    this.#sent = [];
    this.#queue.unshift(...others);
    void this.#endWorker();
    head?.resolve({ manifests: [], rejections: [{ line: 1, column: 1, code: "ParseTooCostly", message }] });
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

function failureOf(error: unknown): string {
  const code = (error as { code?: unknown }).code;
  return code === "ERR_WORKER_OUT_OF_MEMORY" ? "parsing took too much memory" : "the parser failed";
}
