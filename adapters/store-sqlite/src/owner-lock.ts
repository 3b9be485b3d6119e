import { DatabaseSync } from "node:sqlite";
import { ClawError } from "@claw/core/protocol";
import { createPrivateFile } from "./private-file.ts";
import { BUSY, sqliteCode, storageError } from "./storage-error.ts";

const BUSY_TIMEOUT_MS = 150;

/** The right to be the one process that writes a store. */
export interface OwnerLock {
  /** Gives the right back. Idempotent. */
  release(): void;
}

/**
 * Takes ownership of a store: a lock of the operating system on `PATH-owner`, held for the life of
 * the process, so that it is free as soon as the process is gone, however it ended. The file is
 * opened by SQLite alone: closing any other descriptor of it would drop the lock (POSIX), and it is never
 * removed, because two processes could then lock two files of one name.
 * Errors: CLAW-4001 owned already, by this or another process.
 */
export function takeOwnership(path: string): OwnerLock {
  const lockPath = `${path}-owner`;
  createPrivateFile(lockPath);
  const db = new DatabaseSync(lockPath, { timeout: BUSY_TIMEOUT_MS });
  try {
    // Nothing is ever written, so no journal file is needed beside the lock.
    db.exec("PRAGMA journal_mode = MEMORY");
    db.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    db.close();
    if (sqliteCode(error) === BUSY) {
      throw new ClawError("CLAW-4001", `${path} is owned by a running process`, { cause: error });
    }
    throw storageError(error, lockPath);
  }
  return {
    release: () => {
      if (db.isOpen) db.close();
    },
  };
}
