import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type Login, passwordFrom } from "./password-file.ts";

const LOGIN: Login = { host: "db", port: 5432, database: "shop", user: "claw" };

test("the first line that fits gives the password, as in libpq", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "claw-pgpass-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "pgpass");
  const given = (text: string, login = LOGIN): string | null => {
    writeFileSync(file, text, { mode: 0o600 });
    return passwordFrom(file, login);
  };
  assert.equal(given("other:5432:shop:claw:no\ndb:5432:shop:claw:yes\n"), "yes");
  assert.equal(given("# db:5432:shop:claw:no\n*:*:*:claw:any\n"), "any");
  assert.equal(given("db:5432:shop:claw:a\\:b\\\\c"), "a:b\\c");
  assert.equal(given("db:5432:shop:claw:*\r\n"), "*");
  assert.equal(given("\\:\\:1:5432:shop:claw:six", { ...LOGIN, host: "::1" }), "six");
  assert.equal(given("db:5432:shop:claw:"), null);
  assert.equal(given("db:5432:shop:claw\n\n:::\n"), null);
  assert.equal(given("db:5433:shop:claw:no"), null);
  given("*:*:*:*:seen");
  chmodSync(file, 0o644);
  assert.equal(passwordFrom(file, LOGIN), null, "others may read it");
  assert.equal(passwordFrom(join(folder, "missing"), LOGIN), null);
});
