import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { Damage, PlaceMaker } from "./place.ts";
import { delivery, finish, first, openWorld, recording, step, transition, wait } from "./world.ts";

const FINDINGS: Readonly<Record<Damage, RegExp>> = {
  "stranded run": /stranded/,
  "gap in the journal": /after entry/,
  "inbox beyond its counter": /beyond its counter/,
  "subscription without a run": /subscription .* no open run/,
  "message without a run": /inbox row .* no open run/,
  "open child without a run": /which is unknown/,
};

/** Checks and copies. */
export function proveUpkeep(make: PlaceMaker): void {
  for (const damage of Object.keys(FINDINGS) as Damage[]) {
    test(`the check is content with a sound store and finds planted damage: ${damage}`, async (t) => {
      const world = await openWorld(t, make);
      const row = await world.startResting({ waits: [wait("w", { order: 1 })] });
      const child = world.row({ parentRun: row.id, parentCall: "c" });
      const started = JSON.stringify(child.id);
      const entries = [1, 2, 3].map((seq) => {
        const made = { seq, at: row.startedAt, attempt: 1, print: "p", data: started };
        return { ...made, kind: "c" as const, call: `c${seq}` };
      });
      const park = { due: null, waits: 4, inboxSeen: 0 };
      for (const one of entries) {
        await world.commit(transition(row, { ...recording(row, [one]), park }));
      }
      await world.commit(transition(row, { starts: [{ row: child, due: 1 }] }), delivery(row.id));
      assert.deepEqual(await world.store.check(), []);
      await world.place.plant(damage, damage === "open child without a run" ? child.id : row.id);
      const findings = await world.store.check();
      const found = findings.some(({ message }) => FINDINGS[damage].test(message));
      assert.ok(found, JSON.stringify(findings));
    });
  }

  test("a journal that notes the end of a child for nobody waits for no child", async (t) => {
    const world = await openWorld(t, make);
    const row = await world.startResting();
    const child = world.row({ parentRun: row.id, parentCall: "c" });
    const made = { at: row.startedAt, call: "c", attempt: 1, print: "" };
    const park = { due: null, waits: 1, inboxSeen: 0 };
    const begun = { ...made, seq: 1, kind: "c" as const, data: JSON.stringify(child.id) };
    await world.commit(transition(row, { ...recording(row, [begun]), park }));
    assert.match(JSON.stringify(await world.store.check()), /which is unknown/);
    const unused = { ...made, seq: 2, kind: "E" as const, data: "" };
    await world.commit(transition(row, { ...recording(row, [unused]), park }));
    assert.deepEqual(await world.store.check(), []);
  });

  test("a backup is a store of its own with all that was committed before", async (t) => {
    const world = await openWorld(t, make);
    const ended = await world.start();
    const end = { ...step(ended, 1), finish: finish(ended, { journal: step(ended, 1).entries }) };
    await world.commit(transition(ended, end));
    const open = await world.startResting();
    const path = join(world.place.folder, "copy");
    await world.store.backup(path);
    const later = await world.start();
    const copy = await world.place.restored(path);
    t.after(() => copy.close());
    await copy.open();
    assert.deepEqual(await copy.check(), []);
    assert.deepEqual(await copy.find(ended.id), await world.store.find(ended.id));
    assert.equal((await copy.find(open.id))?.status, "waiting");
    assert.equal(await copy.find(later.id), null);
  });

  test("a backup shows one moment, whatever is committed while it is written", async (t) => {
    const world = await openWorld(t, make);
    const input = JSON.stringify("x".repeat(4_000));
    const rows = Array.from({ length: 1_500 }, () => world.row({ input }));
    await world.commit(...rows.map((row) => first(row)));
    const path = join(world.place.folder, "copy");
    const written = world.store.backup(path);
    let more = 0;
    const isDone = Promise.resolve(written).then(() => true);
    while (!(await Promise.race([isDone, setImmediate(false)]))) {
      await world.start();
      more++;
    }
    const copy = await world.place.restored(path);
    t.after(() => copy.close());
    await copy.open();
    const found = await copy.list({ limit: 10_000 });
    assert.equal(found.length, rows.length, `${more} commits while it was written`);
    assert.deepEqual(await copy.check(), []);
  });

  test("a backup never replaces a file", async (t) => {
    const world = await openWorld(t, make);
    const path = join(world.place.folder, "copy");
    writeFileSync(path, "precious");
    await assert.rejects(async () => world.store.backup(path), { code: "CLAW-4010" });
    assert.deepEqual(await world.store.list({ limit: 1 }), []);
  });

  test("a backup that cannot be written leaves the store at work and no file behind", async (t) => {
    const world = await openWorld(t, make);
    const path = join(world.place.folder, "nowhere", "copy");
    await assert.rejects(async () => world.store.backup(path));
    assert.equal(existsSync(path), false);
    await world.start();
    assert.equal((await world.store.list({ limit: 10 })).length, 1);
  });
}
