import fs from "node:fs";
import os from "node:os";
import path from "node:path";

/** The part of a test that takes what is to be done when it has ended. */
export interface Ending {
  after(act: () => void | Promise<void>): void;
}

/** A folder for one test, removed when the test has ended. */
export function ownFolder(t: Ending): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "claw-end-to-end-"));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Does what was asked for last first: what stands in a folder ends before the folder goes. */
export function lastFirst(t: Ending): Ending {
  const acts: (() => void | Promise<void>)[] = [];
  t.after(async () => {
    for (const act of acts.reverse()) await act();
  });
  return { after: (act) => void acts.push(act) };
}
