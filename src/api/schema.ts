import { z } from "zod";

/**
 * One rule of the API, said once and checked twice: by the API server as CEL when the object is applied, and by us when we
 * read an object that was stored before the rule existed.
 */
export interface Rule<T> {
  /** CEL over `self`; false refuses the object. Kubernetes' CEL cost limits bind, so every text and list has a maximum. */
  readonly cel: string;
  /** The same decision in TypeScript; a test drives both with the same manifests. */
  readonly holds: (value: T) => boolean;
  /** What to do about it, as a sentence: it is all that `kubectl apply` prints. */
  readonly message: string;
}

/** What OpenAPI calls it beside the description. */
export interface SchemaExtras {
  readonly format?: "date-time" | "int64";
  readonly listType?: "atomic" | "map" | "set";
  readonly listMapKeys?: readonly string[];
  /** Marks an object whose fields are one unit for server-side apply, like a Secret reference. */
  readonly mapType?: "atomic";
  /** Fields that the schema does not name are kept: what stands there is checked by whoever reads it. */
  readonly preserveUnknownFields?: true;
}

/** `schema` with its text for `kubectl explain` and its rules. Put `.optional()` or `.default()` outside, never inside. */
export function described<S extends z.ZodType>(
  schema: S,
  description: string,
  rules: readonly Rule<z.output<S>>[] = [],
  extras: SchemaExtras = {},
): S {
  const checked = rules.reduce<S>(
    (inner, rule) => inner.check(z.refine((value: z.output<S>) => rule.holds(value), { error: rule.message })) as S,
    schema,
  );
  return checked.meta({
    description,
    ...(extras.format === undefined ? {} : { format: extras.format }),
    ...(rules.length === 0
      ? {}
      : { "x-kubernetes-validations": rules.map(({ cel, message }) => ({ rule: cel, message })) }),
    ...(extras.listType === undefined ? {} : { "x-kubernetes-list-type": extras.listType }),
    ...(extras.listMapKeys === undefined ? {} : { "x-kubernetes-list-map-keys": extras.listMapKeys }),
    ...(extras.preserveUnknownFields === undefined ? {} : { "x-kubernetes-preserve-unknown-fields": true }),
    ...(extras.mapType === undefined ? {} : { "x-kubernetes-map-type": extras.mapType }),
  }) as S;
}

/** A rule over a change (`oldSelf`). Only the API server sees both sides, so it has no part in reading. */
export function onChange(cel: string, message: string): Rule<unknown> {
  return { cel, message, holds: () => true };
}

/**
 * A rule that is one regular expression (the common subset of RE2 and JavaScript). A CEL rule and not an OpenAPI `pattern`,
 * because the API server's answer to a pattern is the pattern, and its answer to a rule is our sentence.
 */
export function matches(expression: RegExp, message: string): Rule<string> {
  return { cel: `self.matches(${celString(expression.source)})`, holds: (value) => expression.test(value), message };
}

/** The contrary of {@link matches}. */
export function matchesNot(expression: RegExp, message: string): Rule<string> {
  return { cel: `!self.matches(${celString(expression.source)})`, holds: (value) => !expression.test(value), message };
}

/** A CEL string literal. JavaScript writes `/` in a regular expression as `\/`, which RE2 does not know. */
function celString(source: string): string {
  const text = source.replaceAll("\\/", "/").replaceAll("\\", "\\\\").replaceAll("'", "\\'");
  return `'${text}'`;
}
