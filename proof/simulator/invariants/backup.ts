import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemoryDisk, memoryStore } from "@claw/store-memory";
import type { Host } from "../host.ts";
import type { KnownRun } from "../truth.ts";
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
      const known = truth.runs.get(id);
      const agrees = known === undefined || holdsWhatWas(disk, known);
      ledger.check("a backup holds what was", agrees, () => `${host.name} ${id}`);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

// What was written while its answer was lost, or is on its way, is learned later: also that a generation has ended.
function holdsWhatWas(disk: MemoryDisk, { start, generations, text }: KnownRun): boolean {
  const ended = disk.generations.of(start.id);
  // Of generations that have ended since, it is known how their journals began only.
  if (ended.length < generations.length) return true;
  if (ended.length > generations.length)
    return ended[generations.length]?.journal.startsWith(text) === true;
  const copied = disk.journal
    .of(start.id)
    .map((row) => row.entries)
    .join("");
  return text.startsWith(copied) || copied.startsWith(text);
}
