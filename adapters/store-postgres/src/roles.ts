import { ClawError } from "@claw/core/protocol";
import { quoted } from "./schema.ts";

/** For whom roles are made. */
export interface RoleOptions {
  /** Schema of the store. */
  readonly schema: string;
  /** Name of the database in which the schema is, or will be. */
  readonly database: string;
  /** What the names of the roles begin with. Default: the name of the schema. */
  readonly prefix?: string;
}

/**
 * SQL for three roles with no more rights than they need: `PREFIX_migrate` owns the schema and changes its tables,
 * `PREFIX_run` runs nodes and writes rows, `PREFIX_read` reads for people. Idempotent; to be run by a superuser, or by the
 * owner of the database with CREATEROLE. Passwords are not part of it. Errors: CLAW-4008 for a name.
 */
export function postgresRoles({ schema, database, prefix = schema }: RoleOptions): string {
  const place = quoted(schema);
  const [migrate, run, read] = ["migrate", "run", "read"].map((what) =>
    quoted(`${prefix}_${what}`),
  );
  const all = `${migrate}, ${run}, ${read}`;
  return `-- Roles for the store in schema ${place}. Give them passwords with \\password in psql.
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['${prefix}_migrate', '${prefix}_run', '${prefix}_read'] LOOP
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = name) THEN
      EXECUTE format('CREATE ROLE %I LOGIN', name);
    END IF;
  END LOOP;
END $$;
GRANT CONNECT ON DATABASE ${databaseName(database)} TO ${all};

-- Makes and changes the tables: claw migrate.
CREATE SCHEMA IF NOT EXISTS ${place} AUTHORIZATION ${migrate};

-- Runs nodes: claw start. It changes rows and no table.
GRANT USAGE ON SCHEMA ${place} TO ${run}, ${read};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${place} TO ${run};
ALTER DEFAULT PRIVILEGES FOR ROLE ${migrate} IN SCHEMA ${place}
  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ${run};

-- Reads for people: claw list, show, export, doctor, backup.
GRANT SELECT ON ALL TABLES IN SCHEMA ${place} TO ${read};
ALTER DEFAULT PRIVILEGES FOR ROLE ${migrate} IN SCHEMA ${place} GRANT SELECT ON TABLES TO ${read};

-- A node must see at once what others committed, and no limit of the server must cut a commit short by surprise.
ALTER ROLE ${run} SET default_transaction_isolation = 'read committed';
ALTER ROLE ${run} SET statement_timeout = '30s';
`;
}

// Databases have names that schemas of stores have not, such as "shop-eu".
function databaseName(name: string): string {
  if (name === "" || name.includes("\0")) {
    throw new ClawError("CLAW-4008", `${JSON.stringify(name)} is not the name of a database`);
  }
  return `"${name.replaceAll('"', '""')}"`;
}
