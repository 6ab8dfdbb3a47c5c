import { endGroup, spawnGit } from "./process.ts";
import type { GitProcess } from "./process.ts";
import { gitError } from "./transport-errors.ts";

export interface GitObject {
  readonly id: string;
  readonly type: string;
  readonly size: number;
  /** Empty when only the header was asked for. */
  readonly content: Buffer;
}

interface Waiting {
  readonly resolve: (object: GitObject | null) => void;
  readonly reject: (error: Error) => void;
}

const NOTHING = Buffer.alloc(0);
/** ms without a question after which the process ends; it starts again in milliseconds. */
const IDLE_MS = 60_000;

/**
 * A long-lived `git cat-file`: one process answers all questions about a repository's objects, in the order they are asked.
 * `contents` asks for the whole object, otherwise for its type and size alone.
 */
export class ObjectReader {
  readonly #directory: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #contents: boolean;
  #process: GitProcess | null = null;
  #waiting: Waiting[] = [];
  #questions = "";
  #pieces: Buffer[] = [];
  #buffered = 0;
  /** Bytes that must be there before the next answer is whole; saves joining the pieces of a large blob again and again. */
  #needed = 1;
  #idle: NodeJS.Timeout | null = null;
  #retired = false;

  constructor(options: { directory: string; env: Readonly<Record<string, string>>; contents: boolean }) {
    this.#directory = options.directory;
    this.#env = options.env;
    this.#contents = options.contents;
  }

  /**
   * The object that `name` stands for (an id, `<commit>:<path>`, a reference), null when there is none.
   * @throws FabricSyncError `RepositoryCorrupt` when git cannot read it or ends.
   */
  read(name: string): Promise<GitObject | null> {
    if (/[\n\0]/.test(name)) return Promise.resolve(null);
    return new Promise((resolve, reject) => {
      const process = this.#start();
      if (this.#idle) clearTimeout(this.#idle);
      this.#idle = null;
      this.#waiting.push({ resolve, reject });
      // Questions of one turn are one write.
      if (this.#questions === "") setImmediate(() => this.#ask(process));
      this.#questions += `${name}\n`;
    });
  }

  /** Starts the process before the first question. */
  warm(): void {
    this.#start();
    if (this.#waiting.length === 0) this.#rest();
  }

  /** Another reader takes over: answers what was asked, then ends its process. Whoever still asks this one is answered, too. */
  retire(): void {
    this.#retired = true;
    if (this.#waiting.length === 0) this.close();
  }

  /** Ends the process; open questions are rejected. */
  close(): void {
    const process = this.#process;
    this.#process = null;
    if (this.#idle) clearTimeout(this.#idle);
    this.#idle = null;
    if (process) endGroup(process);
    this.#fail("the repository's reader was closed");
  }

  #ask(process: GitProcess): void {
    // A process that ended meanwhile took its questions along: they were rejected.
    if (process === this.#process) process.stdin.write(this.#questions);
    this.#questions = "";
  }

  #start(): GitProcess {
    if (this.#process) return this.#process;
    const child = spawnGit(["cat-file", this.#contents ? "--batch" : "--batch-check"], this.#directory, this.#env);
    this.#process = child;
    this.#pieces = [];
    this.#buffered = 0;
    this.#needed = 1;
    child.stdin.on("error", () => undefined);
    child.stderr.resume();
    child.on("error", () => undefined);
    child.stdout.on("data", (piece: Buffer) => {
      if (this.#process !== child) return;
      this.#pieces.push(piece);
      this.#buffered += piece.length;
      if (this.#buffered >= this.#needed) this.#answer();
    });
    child.on("close", () => {
      if (this.#process !== child) return;
      this.#process = null;
      this.#fail("git cat-file ended");
    });
    return child;
  }

  #answer(): void {
    let buffer = this.#pieces.length === 1 ? (this.#pieces[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#pieces);
    this.#needed = 1;
    for (;;) {
      const end = buffer.indexOf(0x0a);
      if (end < 0) break;
      const match = /^([0-9a-f]+) (\w+) (\d+)$/.exec(buffer.toString("latin1", 0, end));
      const size = this.#contents && match ? Number(match[3]) : 0;
      const length = end + 1 + (this.#contents && match ? size + 1 : 0);
      if (buffer.length < length) {
        this.#needed = length;
        break;
      }
      const content = this.#contents ? Buffer.from(buffer.subarray(end + 1, end + 1 + size)) : NOTHING;
      buffer = buffer.subarray(length);
      this.#waiting
        .shift()
        ?.resolve(match ? { id: match[1] ?? "", type: match[2] ?? "", size: Number(match[3]), content } : null);
    }
    this.#pieces = buffer.length === 0 ? [] : [buffer];
    this.#buffered = buffer.length;
    if (this.#waiting.length === 0) this.#rest();
  }

  #rest(): void {
    if (this.#retired) return this.close();
    this.#idle ??= setTimeout(() => this.close(), IDLE_MS);
    this.#idle.unref();
  }

  #fail(message: string): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { reject } of waiting) reject(gitError("RepositoryCorrupt", message));
  }
}
