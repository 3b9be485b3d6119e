import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

const GUIDE = join(import.meta.dirname, "..", "..", "..", "docs", "guides", "payloads.md");
const BLOCK = /^```ts (\S+)\n(.*?)^```$/gms;

test("every snippet of the guide runs as it stands, and leaves nothing readable in the store", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "claw-guide-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  const [CLAW_KEY, CLAW_NEXT_KEY] = [randomBytes(32), randomBytes(32)].map((key) =>
    key.toString("base64"),
  );
  const said: Record<string, string> = {};
  for (const [, name = "", code = ""] of readFileSync(GUIDE, "utf8").matchAll(BLOCK)) {
    // The folder stands outside of the house, where packages have no names.
    const resolved = code.replaceAll(/"(@claw\/[\w/-]+)"/g, (_, named: string) =>
      JSON.stringify(import.meta.resolve(named)),
    );
    writeFileSync(join(folder, name), resolved);
    const child = spawnSync(process.execPath, [name, join(folder, "guide.db")], {
      cwd: folder,
      env: { ...process.env, CLAW_KEY, CLAW_NEXT_KEY },
      encoding: "utf8",
    });
    assert.equal(child.status, 0, child.stderr);
    said[name] = child.stdout;
  }
  assert.deepEqual(said, { "encrypted.ts": "Hello Ada\n", "rotated.ts": "", "own.ts": "" });
  for (const file of readdirSync(folder).filter((one) => one.startsWith("guide.db"))) {
    assert.ok(!readFileSync(join(folder, file)).includes("Ada"), file);
  }
});
