import { isJsonObject, parseJson } from "../../core/json.ts";
import { normaliseDesired } from "../../core/normalise.ts";
import type { SeenBy } from "../../core/normalise.ts";
import type { Content, DesiredOrigin, DesiredUpsert } from "../../core/observation.ts";

/** What a manifest, as the parser's JSON text, declares. */
export function declareObject(json: string, origin: DesiredOrigin, seen: SeenBy): DesiredUpsert {
  const manifest = parseJson(json);
  if (!isJsonObject(manifest)) throw new Error("the parser gave something else than an object");
  return normaliseDesired(manifest, origin, seen);
}

/** The same, whose content is made of the text whenever somebody asks and it is not in memory from a moment ago. */
export function declareFromText(json: string, origin: DesiredOrigin, seen: SeenBy): DesiredUpsert {
  const { content, ...rest } = declareObject(json, origin, seen);
  let recent = new WeakRef<Content>(content);
  return {
    ...rest,
    get content() {
      const known = recent.deref();
      if (known) return known;
      const made = declareObject(json, origin, seen).content;
      recent = new WeakRef(made);
      return made;
    },
  };
}
