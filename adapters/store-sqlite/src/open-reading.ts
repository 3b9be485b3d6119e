import { existsSync, realpathSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { ClawError } from "@claw/core/protocol";
import { recogniseStore, SCHEMA_VERSION } from "./schema.ts";
import { READONLY, sqliteCode } from "./storage-error.ts";

const BUSY_TIMEOUT_MS = 1_000;

/**
 * A connection that only reads, beside an owner at work or without one.
 * Errors: CLAW-4003 newer, CLAW-4008 no store, or of an older version; those of SQLite as they are.
 */
export function openForReading(path: string): DatabaseSync {
  const db = connect(realpathSync(path));
  try {
    const version = recogniseStore(db, path);
    if (version === SCHEMA_VERSION) return db;
    throw new ClawError(
      "CLAW-4008",
      version === 0 ? `${path} is empty` : `${path} has the older schema version ${version}`,
    );
  } catch (error) {
    db.close();
    throw error;
  }
}

// Also a reader needs the shared memory file beside the database. In a folder that may not be written it is
// done without, if nobody can be writing: then there is no write-ahead log.
function connect(path: string): DatabaseSync {
  const options = { readOnly: true, timeout: BUSY_TIMEOUT_MS };
  const db = new DatabaseSync(path, options);
  try {
    db.prepare("PRAGMA user_version").get();
    return db;
  } catch (error) {
    db.close();
    if (sqliteCode(error) !== READONLY || existsSync(`${path}-wal`)) throw error;
    const url = pathToFileURL(path);
    url.searchParams.set("immutable", "1");
    return new DatabaseSync(url, options);
  }
}
