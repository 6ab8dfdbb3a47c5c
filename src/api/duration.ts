import { parseDuration } from "../core/duration.ts";
import type { Rule } from "./schema.ts";

/** A Go duration within bounds. CEL's `duration` knows no days, so neither does this one. */
export function durationBetween(field: string, least: string, most: string, example: string): Rule<string> {
  const shape = /^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$/;
  return {
    cel: `self.matches('${shape.source.replaceAll("\\", "\\\\")}') && duration(self) >= duration('${least}') && duration(self) <= duration('${most}')`,
    holds: (value) =>
      shape.test(value) && parseDuration(value) >= parseDuration(least) && parseDuration(value) <= parseDuration(most),
    message: `${field} must be a duration between ${least} and ${most}, written like ${example}`,
  };
}
