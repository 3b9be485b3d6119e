import { refuseUnfit, readServer } from "./check-server.ts";
import { Link } from "./link.ts";
import { postgresError } from "./postgres-error.ts";
import { migrate, quoted, SCHEMA_VERSION } from "./schema.ts";

/**
 * Makes the schema of a store or brings it up to date, and begins no work; answers its version. For a role that may change
 * tables, where the one that runs nodes may not.
 * Errors: CLAW-4003, CLAW-4008, CLAW-4070 to 4078.
 */
export async function migratePostgres(url: string, schema: string): Promise<number> {
  quoted(schema);
  const link = await Link.to(url);
  try {
    refuseUnfit(link, await readServer(link));
    await migrate(link, schema);
    return SCHEMA_VERSION;
  } catch (error) {
    throw postgresError(error, link.location);
  } finally {
    await link.end();
  }
}
