import type { Session } from "./migrate-connection.ts";
import { LOCK_STATEMENT } from "./migrate-journal.ts";
import { transaction } from "./migrate-connection.ts";

/** May read the views and nothing else. Without login: an administrator grants it to people and tools. */
export const READER_ROLE = "fabric_sync_reader";

/** What to do when this program may not create roles. */
export const READER_ROLE_ADVICE =
  `the role ${READER_ROLE} is not there and this user may not create it: let an administrator run ` +
  `CREATE ROLE ${READER_ROLE} NOLOGIN; and then run fabric-sync db migrate again`;

/**
 * Roles belong to the whole server: the role may be there already, or another database's migration may make it at this
 * moment. Both end well. Without the right to make it the exception is not an error of the migration.
 */
const CREATE_ROLE = `
  DO $$
  BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${READER_ROLE}') THEN
      CREATE ROLE ${READER_ROLE} NOLOGIN;
    END IF;
  EXCEPTION
    WHEN duplicate_object OR unique_violation OR insufficient_privilege THEN NULL;
  END
  $$`;

/** Every view of the schema, so that a migration which adds one need not think of it. */
const GRANT = `
  DO $$
  DECLARE
    view_name text;
  BEGIN
    GRANT USAGE ON SCHEMA fabric_sync TO ${READER_ROLE};
    FOR view_name IN
      SELECT relname FROM pg_class WHERE relnamespace = 'fabric_sync'::regnamespace AND relkind = 'v' ORDER BY relname
    LOOP
      EXECUTE format('GRANT SELECT ON fabric_sync.%I TO ${READER_ROLE}', view_name);
    END LOOP;
  END
  $$`;

/** Makes the role where it is missing, and grants it the views. @returns whether the role is there. */
export async function grantReader(session: Session): Promise<boolean> {
  await session.rows(CREATE_ROLE);
  const [role] = await session.rows("SELECT FROM pg_roles WHERE rolname = $1", [READER_ROLE]);
  if (role === undefined) return false;
  await transaction(session, "SET LOCAL lock_timeout = 0", async () => {
    await session.rows(LOCK_STATEMENT);
    await session.rows(GRANT);
  });
  return true;
}
