import { mkdirSync, realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ClawError, limits } from "@claw/core/protocol";
import { presizeLog } from "./presize-log.ts";
import { createPrivateFile } from "./private-file.ts";
import { migrate, pragmaNumber, recogniseStore } from "./schema.ts";

const BUSY_TIMEOUT_MS = 200;
/** Pages in the write-ahead log before they are moved to the database file. */
const CHECKPOINT_PAGES = 1_000;
/** A little more than CHECKPOINT_PAGES frames of 4,120 bytes. */
const LOG_BYTES = 4_400_000;
const CACHE_KIB = 32 * 1024;

/** What `openDatabase` may be told; see SqliteOptions. */
export interface DatabaseOptions {
  readonly pagesMax?: number;
  /** The caller has owned it all the time: no process has ended. */
  readonly isReopened?: boolean;
}

/** A database that is open for writing. */
export interface OpenDatabase {
  readonly db: DatabaseSync;
  /** As read back from SQLite. */
  readonly durability: string;
  readonly incarnation: number;
  /** The owner before did not close it. */
  readonly afterCrash: boolean;
}

/** The one spelling of a path, whatever links lead to it; makes its folder. */
export function settlePath(path: string): string {
  const absolute = resolve(path);
  mkdirSync(dirname(absolute), { recursive: true });
  try {
    return realpathSync(absolute);
  } catch {
    return join(realpathSync(dirname(absolute)), basename(absolute));
  }
}

/**
 * Opens the file of a store, brings its schema up to date and begins a new incarnation. The caller
 * holds the ownership.
 * Errors: CLAW-4003, CLAW-4008, and those of SQLite as they are.
 */
export function openDatabase(path: string, options: DatabaseOptions): OpenDatabase {
  createPrivateFile(path);
  const db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
  try {
    const version = recogniseStore(db, path);
    const durability = makeDurable(db, path);
    db.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    db.exec(`PRAGMA cache_size = -${CACHE_KIB}`);
    if (options.pagesMax !== undefined) db.exec(`PRAGMA max_page_count = ${options.pagesMax}`);
    migrate(db, version);
    const [incarnation, afterCrash] = beginIncarnation(db, options.isReopened === true);
    if (options.pagesMax === undefined) presizeLog(path, LOG_BYTES);
    return { db, durability, incarnation, afterCrash };
  } catch (error) {
    db.close();
    throw error;
  }
}

// The file system may refuse shared memory or locks, and SQLite then falls back in silence.
function makeDurable(db: DatabaseSync, path: string): string {
  const mode = String(Object.values(db.prepare("PRAGMA journal_mode = WAL").get() ?? {})[0]);
  db.exec("PRAGMA synchronous = FULL");
  // On macOS a flush stays in the drive's cache without this; elsewhere it changes nothing.
  db.exec("PRAGMA fullfsync = ON");
  db.exec("PRAGMA checkpoint_fullfsync = ON");
  const synchronous = pragmaNumber(db, "synchronous");
  if (mode !== "wal" || synchronous !== 2) {
    throw new ClawError(
      "CLAW-4008",
      `${path} cannot be made durable: journal_mode=${mode}, synchronous=${synchronous}`,
    );
  }
  return "sqlite WAL synchronous=FULL";
}

// What an ended process held in memory (0) is due at once: it comes first in `due`. A process that closed
// the store left nothing at 0, so what is found there was held when its process ended otherwise.
function beginIncarnation(db: DatabaseSync, isReopened: boolean): [number, boolean] {
  const more = isReopened ? 0 : 1;
  db.exec("BEGIN IMMEDIATE");
  const open = db.prepare("SELECT value FROM meta WHERE name = 'open'").get();
  db.exec("INSERT INTO meta VALUES ('open', 1) ON CONFLICT (name) DO UPDATE SET value = 1");
  db.exec(`UPDATE runs SET due = 1, recoveries = recoveries + ${more} WHERE due = 0`);
  // "> 1" is the condition of the index.
  db.exec(`
    UPDATE runs SET due = NULL, held = 'quarantined',
      held_reason = 'the process that took it up ended ' || recoveries || ' times in a row'
    WHERE recoveries > 1 AND recoveries > ${limits.RECOVERIES_MAX} AND held = ''`);
  const row = db
    .prepare("UPDATE meta SET value = value + 1 WHERE name = 'incarnation' RETURNING value")
    .get();
  db.exec("COMMIT");
  return [Number(row?.["value"]), !isReopened && open?.["value"] === 1];
}

/** Gives back what this process holds in memory: it is due at once, and no process was ended by it. */
export function giveBack(db: DatabaseSync): void {
  db.exec("BEGIN IMMEDIATE");
  db.exec("UPDATE runs SET due = 1 WHERE due = 0");
  db.exec("UPDATE meta SET value = 0 WHERE name = 'open'");
  db.exec("COMMIT");
}
