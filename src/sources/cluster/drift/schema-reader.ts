import { createHash } from "node:crypto";
import { messageOf } from "../../../core/errors.ts";
import { isJsonObject } from "../../../core/json.ts";
import { GroupVersionSchemas } from "../../../core/openapi.ts";
import type { KindSchema, SchemaSet } from "../../../core/schema.ts";
import type { Logger } from "../../../core/telemetry.ts";
import type { KubeClient } from "../client.ts";

const INDEX = "/openapi/v3";
/** `apps/v1` is 0.7 MB, the core group 1.2 MB; a CRD's schema may have some MB (bytes). */
const MAX_DOCUMENT_BYTES = 32 * 1024 * 1024;

interface Document {
  readonly hash: string;
  readonly schemas: GroupVersionSchemas;
}

/**
 * Reads what a server says of its kinds, from `/openapi/v3`. The index names each group version's document with its hash; a document is
 * fetched again only when its hash is another.
 */
export class SchemaReader {
  readonly #client: Pick<KubeClient, "fetch">;
  readonly #log: Logger;
  readonly #documents = new Map<string, Document>();
  #etag = "";
  #index: ReadonlyMap<string, { readonly url: string; readonly hash: string }> = new Map();

  constructor(client: Pick<KubeClient, "fetch">, log: Logger) {
    this.#client = client;
    this.#log = log;
  }

  /**
   * The schemas of these group versions (`apps/v1`, `v1`). One whose document cannot be read now is left as it was read before, or out.
   * @throws KubeApiError, KubeUnreachable when the index cannot be read.
   */
  async read(apiVersions: Iterable<string>, signal: AbortSignal): Promise<SchemaSet> {
    await this.#readIndex(signal);
    const wanted = [...new Set(apiVersions)].sort();
    // One after another: each is parsed on the event loop.
    for (const apiVersion of wanted) await this.#readDocument(apiVersion, signal);
    const known = wanted.flatMap((apiVersion) => {
      const document = this.#documents.get(apiVersion);
      return document === undefined ? [] : [[apiVersion, document] as const];
    });
    return schemaSet(new Map(known));
  }

  async #readIndex(signal: AbortSignal): Promise<void> {
    const headers = this.#etag === "" ? {} : { headers: { "if-none-match": this.#etag } };
    const answer = await this.#client.fetch("GET", INDEX, { signal, ...headers });
    if (answer.status === 304) return;
    const paths = isJsonObject(answer.body) && isJsonObject(answer.body["paths"]) ? answer.body["paths"] : {};
    const index = new Map<string, { url: string; hash: string }>();
    for (const [path, entry] of Object.entries(paths)) {
      const url = isJsonObject(entry) ? entry["serverRelativeURL"] : undefined;
      const apiVersion = path.replace(/^apis?\//, "");
      if (typeof url !== "string" || apiVersion === path) continue;
      index.set(apiVersion, { url, hash: new URL(url, "https://localhost").searchParams.get("hash") ?? "" });
    }
    this.#index = index;
    const { etag } = answer.headers;
    this.#etag = typeof etag === "string" ? etag : "";
  }

  async #readDocument(apiVersion: string, signal: AbortSignal): Promise<void> {
    const entry = this.#index.get(apiVersion);
    if (entry === undefined) {
      this.#documents.delete(apiVersion);
      return;
    }
    const known = this.#documents.get(apiVersion);
    if (known !== undefined && entry.hash !== "" && known.hash === entry.hash) return;
    try {
      const { pathname, search } = new URL(entry.url, "https://localhost");
      const query = Object.fromEntries(new URLSearchParams(search));
      const answer = await this.#client.fetch("GET", pathname, { signal, query, maxBytes: MAX_DOCUMENT_BYTES });
      const hash = entry.hash || createHash("sha256").update(JSON.stringify(answer.body)).digest("hex");
      if (known?.hash !== hash)
        this.#documents.set(apiVersion, { hash, schemas: new GroupVersionSchemas(answer.body, hash) });
    } catch (error) {
      if (signal.aborted) throw error;
      this.#log.warn({ apiVersion, error: messageOf(error) }, "the schema of a group version cannot be read");
    }
  }
}

function schemaSet(documents: ReadonlyMap<string, Document>): SchemaSet {
  const text = [...documents].map(([apiVersion, { hash }]) => `${apiVersion} ${hash}`).join("\n");
  const digest = createHash("sha256").update(text).digest("hex").slice(0, 16);
  return {
    of: (apiVersion, kind): KindSchema | null => documents.get(apiVersion)?.schemas.of(apiVersion, kind) ?? null,
    toJSON: () => digest,
  };
}
