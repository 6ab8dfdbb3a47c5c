import { pgSchema } from "drizzle-orm/pg-core";

/** The Postgres schema that holds everything of ours. */
export const SCHEMA = "fabric_sync";

export const fabricSync = pgSchema(SCHEMA);
