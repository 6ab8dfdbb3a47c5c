import { createHmac, randomBytes } from "node:crypto";
import type { WebhookProvider } from "../../core/vocabulary.ts";
import type { Delivery } from "./provider.ts";
import { PROVIDERS } from "./providers.ts";

/** Whose signature a delivery must bear. */
export interface Signer {
  readonly provider: WebhookProvider;
  readonly maxAgeMs?: number;
  /** The secrets at hand; rejects when they cannot be read. */
  known(): Promise<readonly string[]>;
  /** The secrets as they are now, or were a moment ago. */
  again(): Promise<readonly string[]>;
}

const TYPES = Object.keys(PROVIDERS) as WebhookProvider[];
/** Nobody knows them. Each delivery is checked against two secrets, so that the work is the same where there is one, or none, or no Fabric. */
const NOBODYS = [randomBytes(32).toString("hex"), randomBytes(32).toString("hex")] as const;
const KEY = randomBytes(32);

/**
 * Who signs for a Fabric that there is not: always the same type of webhook for the same name, so that a stranger can tell neither by the work
 * that one delivery is, nor by comparing many.
 */
export function nobody(namespace: string, fabric: string): Signer {
  const digest = createHmac("sha256", KEY).update(`${namespace}/${fabric}`).digest();
  const none = (): Promise<readonly string[]> => Promise.resolve([]);
  return { provider: TYPES[digest.readUInt32BE() % TYPES.length] ?? "github", known: none, again: none };
}

/** One delivery while it is found out whether it is signed as it should be. */
export class Check {
  /** The delivery, once it is found to be signed; pending for ever when it is not. */
  readonly good: Promise<Delivery>;
  /** Resolves when it is found out, either way. */
  readonly ended: Promise<void>;
  #delivery: Delivery | null;
  #decided = false;

  constructor(delivery: Delivery, signer: Signer, now: () => number) {
    this.#delivery = delivery;
    const good = Promise.withResolvers<Delivery>();
    this.good = good.promise;
    this.ended = this.#decide(signer, now, good.resolve);
  }

  /** Whether it is found out. */
  get decided(): boolean {
    return this.#decided;
  }

  /** Bytes of the body that it holds. */
  get bytes(): number {
    return this.#delivery?.body.length ?? 0;
  }

  /** Lets go of the delivery: it will not be found to be signed. */
  drop(): void {
    this.#delivery = null;
  }

  async #decide(signer: Signer, now: () => number, found: (delivery: Delivery) => void): Promise<void> {
    // One that cannot be read is not told apart from a wrong signature; its reader says in the log why it cannot.
    const known = await signer.known().catch((): readonly string[] => []);
    let signed = this.#signed(signer, known, now());
    if (!signed) {
      const again = await signer.again().catch((): readonly string[] => []);
      // Not twice against the same: after a moment's reading a wrong signature is the same work as for nobody.
      const isNew = again.some((secret) => !known.includes(secret));
      signed = isNew && this.#signed(signer, again, now());
    }
    this.#decided = true;
    if (signed && this.#delivery !== null) found(this.#delivery);
    this.#delivery = null;
  }

  #signed({ provider, maxAgeMs }: Signer, secrets: readonly string[], now: number): boolean {
    if (this.#delivery === null) return false;
    const two = [...secrets.filter((secret) => secret !== "").slice(0, 2), ...NOBODYS].slice(0, 2);
    return PROVIDERS[provider].verify(this.#delivery, two, now, maxAgeMs);
  }
}
