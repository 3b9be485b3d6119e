import { ClawError } from "@claw/core/protocol";
import type { Link } from "./link.ts";
import { COMMIT_FUNCTIONS } from "./sql/commit.ts";
import { ITEM_FUNCTIONS } from "./sql/items.ts";
import { KEY_FUNCTIONS } from "./sql/keys.ts";
import { LIFE_FUNCTIONS } from "./sql/life.ts";
import { LOCK_FUNCTIONS } from "./sql/locks.ts";
import { NODE_FUNCTIONS, NODE_TABLES } from "./sql/nodes.ts";
import { RUN_FUNCTIONS } from "./sql/runs.ts";
import { SPREAD_FUNCTIONS } from "./sql/spreads.ts";
import { TABLES } from "./sql/tables.ts";
import { TASK_FUNCTIONS, TASK_HOLDER_TABLES } from "./sql/tasks.ts";

/** Forward-only migrations of the tables; the one at index n leads from schema version n to n + 1. */
const MIGRATIONS: readonly string[] = [
  TABLES,
  NODE_TABLES,
  // Functions alone: a run that goes on puts back what it took and has not seen.
  "SELECT 1",
  TASK_HOLDER_TABLES,
];

/** Functions are code, not data: each migration writes those of its version anew. */
const FUNCTIONS = `
DO $$ DECLARE
  one record;
BEGIN
  FOR one IN SELECT oid::regprocedure AS name FROM pg_proc
    WHERE pronamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'claw.runs'::regclass)
  LOOP
    EXECUTE 'DROP FUNCTION ' || one.name;
  END LOOP;
END $$;
${LOCK_FUNCTIONS}
${RUN_FUNCTIONS}
${KEY_FUNCTIONS}
${SPREAD_FUNCTIONS}
${ITEM_FUNCTIONS}
${TASK_FUNCTIONS}
${NODE_FUNCTIONS}
${COMMIT_FUNCTIONS}
${LIFE_FUNCTIONS}`;

/** Version of the schema that this code writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/** Longest name of an identifier (NAMEDATALEN - 1), bytes. */
const NAME_BYTES_MAX = 63;

/** SQL of this package, in which names stand as `claw.name`, for the schema of a store. */
export function inSchema(sql: string, schema: string): string {
  return sql.replaceAll("claw.", `${quoted(schema)}.`);
}

/** A name as an identifier of SQL. Errors: CLAW-4008. */
export function quoted(name: string): string {
  const valid = /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && name.length <= NAME_BYTES_MAX;
  if (valid) return `"${name}"`;
  throw new ClawError("CLAW-4008", `"${name}" is not a name for a schema: letters, digits, "_"`);
}

/**
 * Creates the schema, or brings it up to date, in one transaction; nodes that open at once wait for each other.
 * Errors: CLAW-4003 written by a newer version, CLAW-4008 a schema of another program.
 */
export async function migrate(link: Link, schema: string): Promise<void> {
  const name = quoted(schema);
  await link.transaction(async () => {
    await link.query("SELECT pg_advisory_xact_lock(hashtext($1))", [`claw migrate ${schema}`]);
    const version = await versionOf(link, schema);
    if (version > SCHEMA_VERSION) {
      throw new ClawError(
        "CLAW-4003",
        `${link.location} has schema version ${version}, this program knows versions up to ${SCHEMA_VERSION}`,
      );
    }
    if (version === SCHEMA_VERSION) return;
    // Asking for the right to create schemas where one was prepared would be too much.
    const isThere = await link.query("SELECT 1 FROM pg_namespace WHERE nspname = $1", [schema]);
    if (isThere.length === 0) await link.query(`CREATE SCHEMA ${name}`);
    for (const migration of MIGRATIONS.slice(version)) {
      await link.query(inSchema(migration, schema));
    }
    await link.query(inSchema(FUNCTIONS, schema));
    await link.query(
      `INSERT INTO ${name}.meta VALUES ('version', $1)
       ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
      [SCHEMA_VERSION],
    );
  });
}

/** Version of the store in a schema; 0 when that is missing or empty. Errors: CLAW-4008 tables of another program. */
export async function versionOf(link: Link, schema: string): Promise<number> {
  const tables = await link.query<{ name: string }>(
    "SELECT tablename AS name FROM pg_tables WHERE schemaname = $1",
    [schema],
  );
  if (tables.length === 0) return 0;
  const names = new Set(tables.map((row) => row.name));
  if (names.has("meta") && names.has("incarnations")) {
    const rows = await link.query<{ value: string }>(
      `SELECT value FROM ${quoted(schema)}.meta WHERE name = 'version'`,
    );
    if (rows[0] !== undefined) return Number(rows[0].value);
  }
  throw new ClawError("CLAW-4008", `The schema "${schema}" holds tables of another program`);
}
