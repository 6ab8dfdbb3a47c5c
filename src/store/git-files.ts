import type { Batch, GitFile } from "../core/ports.ts";
import { plainText } from "./store-error.ts";
import type { Sql } from "./transaction.ts";
import type { TableWrite } from "./statement.ts";

type GitFiles = NonNullable<Batch["gitFiles"]>;

/** The file records of a revision; those that say the same as before are not written. */
export function gitFileWrites({ upserts, removed }: GitFiles): TableWrite[] {
  const gone = new Set(removed);
  for (const file of upserts) gone.delete(file.path);
  return [...chunked(newestOfEach(upserts)).map(upsert), ...(gone.size === 0 ? [] : [removal([...gone])])];
}

export async function readGitFiles(sql: Sql, fabricId: string): Promise<GitFile[]> {
  return sql.rows<GitFile>(
    `SELECT path, blob, documents, keys, rejections, parsed FROM fabric_sync.git_file WHERE fabric_id = $1 ORDER BY path`,
    [fabricId],
  );
}

const FIELDS = "path, blob, documents, keys, rejections, parsed";

/** File records of one statement: some megabytes with twenty documents a file. */
const CHUNK_FILES = 2_000;

function chunked(files: readonly GitFile[]): GitFile[][] {
  return Array.from({ length: Math.ceil(files.length / CHUNK_FILES) }, (_, index) =>
    files.slice(index * CHUNK_FILES, (index + 1) * CHUNK_FILES),
  );
}

/** A statement may touch a row once. */
function newestOfEach(files: readonly GitFile[]): GitFile[] {
  return [...new Map(files.map((file) => [file.path, file])).values()];
}

function upsert(files: readonly GitFile[], index: number): TableWrite {
  return {
    name: `git_file_upsert_${index}`,
    statement: (parameter) => `
      INSERT INTO fabric_sync.git_file (fabric_id, ${FIELDS}, updated_at)
      SELECT $1::uuid, i.path, i.blob, i.documents, i.keys, i.rejections, i.parsed, now()
        FROM json_to_recordset(${parameter}::json)
             AS i (path text, blob text, documents integer, keys jsonb, rejections jsonb, parsed boolean)
       WHERE NOT EXISTS (
               SELECT FROM fabric_sync.git_file f
                WHERE f.fabric_id = $1 AND f.path = i.path AND f.blob = i.blob AND f.documents = i.documents
                  AND f.keys = i.keys AND f.rejections = i.rejections AND f.parsed = i.parsed)
          ON CONFLICT (fabric_id, path) DO UPDATE
         SET blob = excluded.blob, documents = excluded.documents, keys = excluded.keys,
             rejections = excluded.rejections, parsed = excluded.parsed, updated_at = excluded.updated_at`,
    // When it is written, and not before: those of a large repository together are many megabytes, and some tenths of a second.
    get input() {
      return JSON.stringify(files.map(recordOf));
    },
  };
}

/** The words of a rejection may quote the file: NUL and lone surrogates there must not cost the revision. */
function recordOf(file: GitFile): GitFile {
  const rejections = file.rejections.map((rejection) => ({ ...rejection, message: plainText(rejection.message) }));
  return { ...file, rejections };
}

function removal(paths: readonly string[]): TableWrite {
  return {
    name: "git_file_removal",
    statement: (parameter) => `
      DELETE FROM fabric_sync.git_file
       WHERE fabric_id = $1 AND path IN (SELECT json_array_elements_text(${parameter}::json))`,
    input: JSON.stringify(paths),
  };
}
