import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { dumpStore } from "./dump.ts";

// Writes the store of the schema version of this checkout:
//   node proof/conformance/corpus/write-corpus-app.ts
const folder = mkdtempSync(join(tmpdir(), "claw-corpus-"));
const path = join(folder, "claw.db");
spawnSync(process.execPath, [join(import.meta.dirname, "make-store-app.ts"), path], {
  stdio: "inherit",
});
const db = new DatabaseSync(path);
const version = Number(db.prepare("PRAGMA user_version").get()?.["user_version"]);
db.close();
const file = `schema-${String(version).padStart(2, "0")}.sql`;
writeFileSync(join(import.meta.dirname, file), dumpStore(path));
rmSync(folder, { recursive: true });
process.stdout.write(`${file}\n`);
