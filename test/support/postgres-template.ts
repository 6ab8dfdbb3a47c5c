import { migrate } from "../../src/store/migrate.ts";
import type { PostgresServer } from "./postgres.ts";

/** Makes the database that every suite's database is a copy of, by running the project's migrations. Returns its name. */
export async function createTemplate(server: PostgresServer): Promise<string> {
  const database = await server.createDatabase();
  await migrate(database.url);
  return database.name;
}
