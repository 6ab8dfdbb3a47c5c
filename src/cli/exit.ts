import { FabricSyncError } from "../core/errors.ts";

/** What the process says by its exit code; the same for every command. */
export const EXIT = {
  /** Done, and well. */
  ok: 0,
  /** Done, but something is not well: a check failed, a run was partial. */
  notWell: 1,
  /** Could not be done. */
  failed: 2,
  /** Called in a wrong way: an unknown command or flag, a wrong value, a wrong configuration (`EX_USAGE` of sysexits.h). */
  usage: 64,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The command line cannot be read. */
export class UsageError extends FabricSyncError {
  constructor(message: string) {
    super("WrongUsage", "stall", message);
  }
}
