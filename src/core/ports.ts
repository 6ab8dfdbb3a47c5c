/**
 * What the rest of the program needs from Postgres, owned here so that `store/` can be replaced or wrapped. Every method may
 * throw a `FabricSyncError`; a write that meets a foreign fence throws code `FenceLost`, policy `fatal`.
 */
export type * from "./ports/observations.ts";
export type * from "./ports/verdicts.ts";
export type * from "./ports/topology.ts";
export type * from "./ports/fabrics.ts";
export type * from "./ports/dead-letters.ts";
export type * from "./ports/checking.ts";
export type * from "./ports/reading.ts";
