import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const folder = import.meta.dirname;
const names = readdirSync(folder);
const rules = names.filter((name) => !name.endsWith(".test.ts"));

test("every rule has a test that proves it", () => {
  assert.ok(rules.length >= 10, `only ${rules.length} rules found`);
  for (const rule of rules) {
    const path = join(folder, rule.replace(/\.ts$/, ".test.ts"));
    const text = readFileSync(path, "utf8");
    assert.match(text, /^proveRule\(/m, `${path} proves nothing`);
    assert.match(text, /violating: \{\s+("|\[)/, `${path} has no canary`);
    assert.match(text, /clean: \{\s+"/, `${path} has no clean sample`);
  }
});
