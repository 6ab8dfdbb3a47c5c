import type { KindRules } from "./equivalence.ts";
import type { JsonValue } from "./json.ts";
import type { KindSchema } from "./schema.ts";

/** One path at which the sides differ. */
export interface Difference {
  /** From the object's root, Git's list indexes. */
  readonly path: readonly string[];
  /** The same place in the cluster's object: the cluster's list indexes, its spelling of keys. */
  readonly actualPath: readonly string[];
  /** undefined: Git does not declare it, or not any longer. */
  readonly desired: JsonValue | undefined;
  /** undefined: the cluster does not have it. */
  readonly actual: JsonValue | undefined;
  /** Git declared it in an earlier revision. */
  readonly leftover?: true;
  /** Only the API server can say whether this is a difference. */
  readonly weak?: true;
}

/** Takes one difference; gives false when it wants no more. */
export type DifferenceSink = (difference: Difference) => boolean;

/** What is known of the kind. */
export interface Knowledge {
  readonly rules: KindRules;
  /** null: the server's schema is not known. */
  readonly kind: KindSchema | null;
}
