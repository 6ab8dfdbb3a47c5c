import { ObjectAnswers } from "./object-answers.ts";
import type { GitObject } from "./object-answers.ts";
import { endGroup, spawnGit } from "./process.ts";
import type { GitProcess } from "./process.ts";
import { gitError } from "./transport-errors.ts";

interface Waiting {
  readonly resolve: (object: GitObject | null) => void;
  readonly reject: (error: Error) => void;
}

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
    const answers = new ObjectAnswers({
      contents: this.#contents,
      onAnswer: (object) => this.#waiting.shift()?.resolve(object),
    });
    child.stdin.on("error", () => undefined);
    child.stderr.resume();
    child.on("error", () => undefined);
    child.stdout.on("data", (piece: Buffer) => {
      if (this.#process !== child) return;
      answers.take(piece);
      if (this.#waiting.length === 0) this.#rest();
    });
    child.on("close", () => {
      if (this.#process !== child) return;
      this.#process = null;
      this.#fail("git cat-file ended");
    });
    return child;
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
