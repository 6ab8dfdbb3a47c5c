import type { Logger } from "../../src/core/telemetry.ts";

/** For parts whose words are not what is tested. */
export const QUIET: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => QUIET,
};
