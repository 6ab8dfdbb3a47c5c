import { FabricSyncError, messageOf } from "../../core/errors.ts";
import type { GitFile } from "../../core/ports.ts";
import type { GitStatus, SourceError } from "../../core/streams.ts";
import { isKept, PENDING } from "./plan.ts";
import { rejectionLine } from "./take.ts";

/** Rejections named in the status; a condition's message has room for a few lines. */
const NAMED_REJECTIONS = 10;
const NAMED_WARNINGS = 10;

/** What the files of a revision amount to. `warnings` are those about files that are recognised and not read. */
export function figuresOf(
  files: ReadonlyMap<string, GitFile>,
  about: readonly string[],
): Pick<GitStatus, "files" | "documents" | "invalidDocuments" | "rejections" | "warnings"> {
  const rejections: string[] = [];
  const warnings = [...about];
  let documents = 0;
  let invalidDocuments = 0;
  const told: GitFile[] = [];
  for (const file of files.values()) {
    documents += file.documents;
    if (file.rejections.length > 0 || !file.parsed) told.push(file);
  }
  for (const file of told.sort((a, b) => (a.path < b.path ? -1 : 1))) {
    for (const rejection of file.rejections) {
      if (rejection.code === PENDING) {
        warnings.push(rejectionLine(file.path, rejection));
        continue;
      }
      invalidDocuments += 1;
      if (rejections.length < NAMED_REJECTIONS) rejections.push(rejectionLine(file.path, rejection));
    }
    const kept = file.keys.filter(isKept).length;
    if (kept > 0) warnings.push(`${file.path}: ${kept} objects are kept until the file can be read in full again`);
  }
  return { files: files.size, documents, invalidDocuments, rejections, warnings: warnings.slice(0, NAMED_WARNINGS) };
}

/** What the status says of a failure. */
export function sourceError(error: unknown): SourceError {
  if (error instanceof FabricSyncError) {
    return { code: error.code, message: error.message, stalled: error.policy === "stall" };
  }
  return { code: "GitFailed", message: messageOf(error), stalled: false };
}

/** Holds the status, and tells of each change. */
export class StatusBoard {
  readonly #onChange: () => void;
  #status: GitStatus = {
    revision: "",
    lastAttemptedRevision: "",
    lastFetchedAt: null,
    files: 0,
    documents: 0,
    invalidDocuments: 0,
    rejections: [],
    warnings: [],
    error: null,
  };

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  get status(): GitStatus {
    return this.#status;
  }

  update(change: Partial<GitStatus>): void {
    const before = JSON.stringify(this.#status);
    this.#status = { ...this.#status, ...change };
    if (JSON.stringify(this.#status) !== before) this.#onChange();
  }
}
