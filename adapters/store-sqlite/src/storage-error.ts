import { ClawError, type ErrorCode, isClawError } from "@claw/core/protocol";

/**
 * Primary result codes of SQLite (https://www.sqlite.org/rescode.html) that tell of the storage, not of the data.
 * After one of them the handle is not used again.
 */
const CODES: Readonly<Record<number, ErrorCode>> = {
  2: "CLAW-4006", // INTERNAL
  3: "CLAW-4008", // PERM
  5: "CLAW-4005", // BUSY
  6: "CLAW-4005", // LOCKED
  7: "CLAW-4006", // NOMEM
  8: "CLAW-4008", // READONLY
  9: "CLAW-4006", // INTERRUPT
  10: "CLAW-4006", // IOERR
  11: "CLAW-4002", // CORRUPT
  13: "CLAW-4004", // FULL
  14: "CLAW-4008", // CANTOPEN
  15: "CLAW-4005", // PROTOCOL
  17: "CLAW-4006", // SCHEMA
  21: "CLAW-4006", // MISUSE
  22: "CLAW-4008", // NOLFS
  23: "CLAW-4008", // AUTH
  24: "CLAW-4002", // FORMAT
  26: "CLAW-4008", // NOTADB
};

/** SQLITE_BUSY: another connection holds a lock. */
export const BUSY = 5;
/** SQLITE_READONLY: the file, or the folder that its log must be written to, may not be written. */
export const READONLY = 8;

/** The primary result code of an error of node:sqlite, or null for any other error. */
export function sqliteCode(error: unknown): number | null {
  if (!(error instanceof Error)) return null;
  const { errcode } = error as { errcode?: unknown };
  return typeof errcode === "number" ? errcode & 0xff : null;
}

/** True when the error tells of the storage; false for what the data of an item caused. */
export function isStorageError(error: unknown): boolean {
  const code = sqliteCode(error);
  return code !== null && code in CODES;
}

/** The coded error for anything that the storage threw; coded errors are given back as they are. */
export function storageError(error: unknown, path: string): ClawError {
  if (isClawError(error)) return error;
  const code = sqliteCode(error);
  const message = error instanceof Error ? error.message : String(error);
  const known = code === null ? fileErrorCode(error) : CODES[code];
  return new ClawError(known ?? "CLAW-4006", `${path}: ${message}`, { cause: error });
}

// The file system refuses before SQLite is asked: a folder cannot be made, a file not be created.
function fileErrorCode(error: unknown): ErrorCode | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code } = error as { code?: unknown };
  if (code === "ENOSPC" || code === "EDQUOT") return "CLAW-4004";
  return typeof code === "string" && /^E[A-Z]+$/.test(code) ? "CLAW-4008" : undefined;
}
