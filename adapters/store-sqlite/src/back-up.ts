import { existsSync, renameSync, rmSync } from "node:fs";
import { backup, DatabaseSync } from "node:sqlite";
import { ClawError } from "@claw/core/protocol";
import { createPrivateFile } from "./private-file.ts";

/** Pages copied between two looks at other work; about a millisecond each time. */
const PAGES_PER_STEP = 256;

/**
 * Copies the store at `from` to the new file `to` while work goes on: a read transaction of its own
 * holds the state of this moment, the copying is done on another thread. The copy appears
 * under its name only when it is whole and flushed.
 * Errors: CLAW-4010 when the target exists, and those of SQLite and the file system as they are.
 */
export async function backUp(from: string, to: string): Promise<void> {
  refuseExisting(to);
  const partial = `${to}.partial`;
  rmSync(partial, { force: true });
  createPrivateFile(partial);
  const db = new DatabaseSync(from, { readOnly: true });
  try {
    db.exec("BEGIN");
    db.prepare("SELECT count(*) FROM meta").get();
    await backup(db, partial, { rate: PAGES_PER_STEP });
    refuseExisting(to);
    renameSync(partial, to);
  } finally {
    db.close();
    rmSync(partial, { force: true });
  }
}

function refuseExisting(path: string): void {
  if (!existsSync(path)) return;
  throw new ClawError("CLAW-4010", `${path} exists already`);
}
