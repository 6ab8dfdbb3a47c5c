/** What `parser.ts` and its thread (`parse-worker.ts`) tell each other. */
import type { Places } from "../../../core/places.ts";
import type { FileRejection } from "../../../core/ports.ts";

/** Some files, one after the other in memory that nobody else writes to. */
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

/** Of what one of the request's files holds, as much as crosses at once. */
export interface ParsedPiece extends ParsedBlob {
  /** Index of the file. */
  readonly file: number;
}

export interface ParseAnswer {
  readonly id: number;
  readonly pieces: readonly ParsedPiece[];
  /** More of it follows when this was taken. */
  readonly more: boolean;
}

/**
 * What both threads see of the work: the index of the file that is being parsed, which is to blame when the thread must be ended, and how many answers
 * with more to follow were taken.
 */
export const PROGRESS = { file: 0, taken: 1, length: 2 } as const;
