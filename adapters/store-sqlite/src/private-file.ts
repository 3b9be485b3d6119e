import { closeSync, openSync } from "node:fs";

/**
 * Creates an empty file that only its owner may read and write; one that exists is not touched, not
 * even opened: closing a descriptor of a database file drops the locks that SQLite holds on it.
 * SQLite gives its -wal and -shm files the permissions of the file that they belong to.
 */
export function createPrivateFile(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if ((error as { code?: unknown }).code !== "EEXIST") throw error;
  }
}
