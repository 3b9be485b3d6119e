import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemoryDisk, memoryStore } from "@claw/store-memory";
import type { Host } from "../host.ts";
import type { World } from "../world.ts";

/** A copy of the store that is made under load can be opened, is sound, and holds what was. */
export async function checkBackup(world: World, host: Host): Promise<void> {
  const { truth, ledger } = world;
  const folder = mkdtempSync(join(tmpdir(), "claw-backup-"));
  const path = join(folder, "copy");
  try {
    await host.claw?.backup(path);
    const disk = MemoryDisk.restore(readFileSync(path, "utf8"));
    const store = memoryStore({ disk });
    await store.open();
    const findings = await store.check();
    ledger.check("a backup is sound", findings.length === 0, () => JSON.stringify(findings));
    for (const { id } of disk.runs.values()) {
      const text = disk.journal
        .of(id)
        .map((row) => row.entries)
        .join("");
      const known = truth.runs.get(id)?.text;
      // What was written while its answer was lost is learned only when a node opens.
      const agrees = known === undefined || known.startsWith(text) || text.startsWith(known);
      ledger.check("a backup holds what was", agrees, () => `${host.name} ${id}`);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}
