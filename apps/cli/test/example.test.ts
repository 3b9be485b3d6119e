import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { openPlace } from "./claw.ts";

test("start --example hub shows itself once, and is ready within two seconds at its second start", async (t) => {
  const place = openPlace(t);
  const first = place.going("start", "--example", "hub", "--port", "0");
  await first.said(/pull-request-followup .* completed .*merged/);
  const [, store] = await first.said(/^ready http:\S+ \(6 workflows, store (\S+)\) in \d+ ms$/);
  assert.equal(store, ".claw/hub.db");
  const before = await place.listed("--limit", "100");
  assert.equal(readdirSync(join(place.folder, ".claw", "digests")).length, 2);
  first.kill("SIGINT");
  assert.equal((await first.ended()).code, 0);

  const second = place.going("start", "--example", "hub", "--port", "0");
  await second.said(/8 deliveries were known already/);
  const [, ms] = await second.said(/^ready .* in (\d+) ms$/);
  assert.ok(Number(ms) < 2_000, `${ms} ms`);
  assert.deepEqual(await place.listed("--limit", "100"), before);
});
