import { createHash } from "node:crypto";
import type { FabricSpec } from "../api/fabric.ts";
import { messageOf } from "../core/errors.ts";
import type { SourceError } from "../core/streams.ts";
import type { Logger } from "../core/telemetry.ts";
import { sourceError } from "./running.ts";
import type { SecretReader } from "./secrets.ts";

/** A kubeconfig in a Secret is looked at again this often (ms): a rotated token is used before its overlap ends. */
const AGAIN_MS = 60_000;
/** The same, while it cannot be read (ms). */
const RETRY_MS = 5_000;

/** The kubeconfig of the mirrored cluster, where the Fabric names a Secret that holds it. */
export class RemoteKubeConfig {
  readonly #secrets: Pick<SecretReader, "readKey">;
  readonly #log: Logger;
  readonly #now: () => number;
  #read: { readonly from: string; readonly text: string | undefined; readonly until: number } | null = null;
  #error: SourceError | null = null;

  constructor(secrets: Pick<SecretReader, "readKey">, log: Logger, now: () => number) {
    this.#secrets = secrets;
    this.#log = log;
    this.#now = now;
  }

  /** Why it could not be read or used. */
  get error(): SourceError | null {
    return this.#error;
  }

  /** As it was read last; null where no Secret is named, or it could not be read. */
  get text(): string | null {
    return this.#read?.text ?? null;
  }

  /** When to look again (ms since the epoch); null when there is nothing to look at. */
  get dueAt(): number | null {
    return this.#read?.until ?? null;
  }

  /** null = none is named; undefined = it cannot be read, and {@link error} says why. */
  async read(spec: FabricSpec, signal: AbortSignal): Promise<string | null | undefined> {
    const secretRef = spec.cluster?.kubeConfig?.secretRef;
    if (secretRef === undefined) {
      this.#read = null;
      this.#error = null;
      return null;
    }
    const from = `${secretRef.name}/${secretRef.key}`;
    const known = this.#read;
    if (known?.from === from && this.#now() < known.until) return known.text;
    try {
      const text = await this.#secrets.readKey(secretRef.name, secretRef.key, signal);
      this.#read = { from, text, until: this.#now() + AGAIN_MS };
      this.#error = null;
      return text;
    } catch (error) {
      this.#read = { from, text: undefined, until: this.#now() + RETRY_MS };
      this.#error = sourceError(error);
      this.#log.warn({ error: messageOf(error) }, "the kubeconfig of the mirrored cluster cannot be read");
      return undefined;
    }
  }

  /** No source can be made of it; like a Secret that is missing, it is looked at again. */
  refuse(error: unknown): void {
    this.#error = sourceError(error);
    if (this.#read !== null) this.#read = { ...this.#read, until: this.#now() + RETRY_MS };
  }
}

/** Tells one kubeconfig from another without keeping it. */
export function digestOf(kubeConfig: string): string {
  return createHash("sha256").update(kubeConfig).digest("hex");
}
