import assert from "node:assert/strict";
import { once } from "node:events";
import { fork } from "node:child_process";
import {
  chmodSync,
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, test, type TestContext } from "node:test";
import { sqliteReader, sqliteStore } from "@claw/store-sqlite";
import { sqlitePlace, type SqlitePlace } from "./store/sqlite-place.ts";
import { delivery, first, openWorld, step, StoreWorld, transition } from "./store/world.ts";

function freshPlace(t: TestContext): SqlitePlace {
  const place = sqlitePlace();
  t.after(() => place.remove());
  return place;
}

// The store is closed by the test.
async function openedOn(t: TestContext, place: SqlitePlace): Promise<StoreWorld> {
  const world = new StoreWorld(place);
  t.after(() => world.store.close());
  return world.open();
}

function overwrite(path: string, at: number, length: number): void {
  const file = openSync(path, "r+");
  writeSync(file, Buffer.alloc(length, 0xa5), 0, length, at);
  closeSync(file);
}

// Acts while nothing may be written in a folder. The root user may write everywhere: for this time the process is
// somebody else.
function withoutRights<T>(folder: string, act: () => T): T {
  chmodSync(folder, 0o555);
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(65_534);
  try {
    return act();
  } finally {
    if (isRoot) process.seteuid?.(0);
    chmodSync(folder, 0o755);
  }
}

describe("store-sqlite: its file", () => {
  test("a commit is promised to survive a power loss, as read back from SQLite", async (t) => {
    const { info } = await openWorld(t, sqlitePlace);
    assert.equal(info?.durability, "sqlite WAL synchronous=FULL");
    assert.equal(info?.kind, "sqlite");
  });

  test("new files belong to their owner alone, and the folder is made", async (t) => {
    const place = freshPlace(t);
    const path = join(place.folder, "deep", "er", "claw.db");
    const store = sqliteStore({ path });
    t.after(() => store.close());
    await store.open();
    const files = readdirSync(join(place.folder, "deep", "er"));
    assert.deepEqual(files, ["claw.db", "claw.db-owner", "claw.db-shm", "claw.db-wal"]);
    for (const file of files) {
      assert.equal(statSync(join(place.folder, "deep", "er", file)).mode & 0o777, 0o600, file);
    }
  });

  test("a second owner in the same process is refused, under whatever name the file goes", async (t) => {
    const place = freshPlace(t);
    await openedOn(t, place);
    const link = join(place.folder, "link.db");
    symlinkSync(place.path, link);
    for (const path of [place.path, link]) {
      const second = sqliteStore({ path });
      assert.throws(() => second.open(), { code: "CLAW-4001" });
    }
  });

  test("a refused second owner does not loosen the ownership of the first", async (t) => {
    const place = freshPlace(t);
    const world = await openedOn(t, place);
    for (let n = 0; n < 3; n++) {
      assert.throws(() => place.store().open(), { code: "CLAW-4001" });
    }
    const child = fork(join(import.meta.dirname, "store", "sqlite-owner-app.ts"), [place.path]);
    const [answer] = (await once(child, "message")) as [string];
    await once(child, "exit");
    assert.equal(answer, "CLAW-4001");
    await world.start();
  });

  test("another process is refused while the owner lives, and takes over when it was killed", async (t) => {
    const place = freshPlace(t);
    const child = fork(join(import.meta.dirname, "store", "sqlite-owner-app.ts"), [
      place.path,
      "stay",
    ]);
    t.after(() => child.kill("SIGKILL"));
    assert.deepEqual(await once(child, "message"), ["open 1", undefined]);
    assert.throws(() => place.store().open(), { code: "CLAW-4001" });
    child.kill("SIGKILL");
    await once(child, "exit");
    const world = await openedOn(t, place);
    assert.equal(world.info?.incarnation, 2);
  });

  test("a closed store can be owned by others at once", async (t) => {
    const place = freshPlace(t);
    const world = await openedOn(t, place);
    await world.store.close();
    const other = await openedOn(t, place);
    assert.equal(other.info?.incarnation, 2);
    assert.throws(() => world.store.open(), { code: "CLAW-4001" });
  });

  test("a store of a newer schema version is left alone", async (t) => {
    const place = freshPlace(t);
    const world = await openedOn(t, place);
    const ours = world.info?.schemaVersion;
    await world.store.close();
    place.behind((db) => db.exec("PRAGMA user_version = 99"));
    await assert.rejects(async () => world.open(), { code: "CLAW-4003" });
    assert.throws(() => sqliteReader({ path: place.path }), { code: "CLAW-4003" });
    place.behind((db) => db.exec(`PRAGMA user_version = ${ours}`));
    await world.open();
    assert.equal(world.info?.incarnation, 2);
  });

  test("a database of another program is recognised and not changed", async (t) => {
    const place = freshPlace(t);
    place.behind((db) => db.exec("CREATE TABLE notes (text TEXT)"));
    assert.throws(() => place.store().open(), { code: "CLAW-4008" });
    assert.throws(() => sqliteReader({ path: place.path }), { code: "CLAW-4008" });
    const mode = place.behind((db) => db.prepare("PRAGMA journal_mode").get());
    assert.deepEqual({ ...mode }, { journal_mode: "delete" });
  });

  test("a file that is no database is refused and not changed", async (t) => {
    const place = freshPlace(t);
    for (const content of ["hello", "x".repeat(10_000)]) {
      writeFileSync(place.path, content);
      assert.throws(() => place.store().open(), { code: "CLAW-4008" });
      assert.equal(statSync(place.path).size, content.length);
    }
  });

  test("a path where no file can be is refused", async (t) => {
    const place = freshPlace(t);
    writeFileSync(join(place.folder, "file"), "");
    for (const path of [place.folder, join(place.folder, "file", "claw.db")]) {
      assert.throws(() => sqliteStore({ path }).open(), { code: "CLAW-4008" });
    }
  });

  test("a folder that may not be written is refused", async (t) => {
    const place = freshPlace(t);
    withoutRights(place.folder, () => {
      assert.throws(() => place.store().open(), { code: "CLAW-4008" });
    });
  });
});

describe("store-sqlite: trouble with the storage", () => {
  test("a full disk is told as such, what was acknowledged stays, and the store opens again", async (t) => {
    const place = freshPlace(t);
    const store = sqliteStore({ path: place.path, pagesMax: 60 });
    const world = new StoreWorld({ ...place, store: () => store });
    t.after(() => world.store.close());
    await world.open();
    const acknowledged: string[] = [];
    const fill = async (): Promise<void> => {
      for (;;) {
        const row = world.row({ input: JSON.stringify("x".repeat(5_000)) });
        await world.commit(first(row));
        acknowledged.push(row.id);
      }
    };
    await assert.rejects(fill, { code: "CLAW-4004" });
    assert.ok(acknowledged.length > 5);
    await assert.rejects(async () => world.commit(), { code: "CLAW-4006" });
    await assert.rejects(async () => world.store.find("x"), { code: "CLAW-4006" });
    await world.open();
    const found = await world.store.list({ limit: 1_000 });
    assert.deepEqual(found.map(({ id }) => id).reverse(), acknowledged);
    assert.deepEqual(await world.store.check(), []);
  });

  test("a database that another program keeps locked is told as such", async (t) => {
    const place = freshPlace(t);
    const world = await openedOn(t, place);
    const row = await world.start();
    const other = new DatabaseSync(place.path);
    other.exec("BEGIN IMMEDIATE");
    const recorded = transition(row, step(row, 1));
    await assert.rejects(async () => world.commit(recorded), { code: "CLAW-4005" });
    await assert.rejects(async () => world.open(), { code: "CLAW-4005" });
    // The owner will try again: nobody may take its store meanwhile.
    assert.throws(() => place.store().open(), { code: "CLAW-4001" });
    other.close();
    await world.open();
    assert.equal((await world.load(row.id))?.journal.length, 0);
  });

  test("a damaged page is found by the check, and reading it is told as damage", async (t) => {
    const place = freshPlace(t);
    const world = await openedOn(t, place);
    for (let n = 0; n < 50; n++) await world.start();
    await world.store.close();
    const { page, size } = place.behind((db) => ({
      page: Number(
        db.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'runs'").get()?.["rootpage"],
      ),
      size: Number(db.prepare("PRAGMA page_size").get()?.["page_size"]),
    }));
    overwrite(place.path, (page - 1) * size, size);
    const reader = sqliteReader({ path: place.path });
    t.after(() => reader.close());
    assert.notDeepEqual(await reader.check(), []);
    assert.throws(() => reader.list({ limit: 1 }), { code: "CLAW-4002" });
    assert.throws(() => world.store.open(), { code: "CLAW-4002" });
  });

  test("a journal whose text is damaged is told as damage, and others go on", async (t) => {
    const world = await openWorld(t, sqlitePlace);
    const [a, b] = [await world.start(), await world.start()];
    const park = { due: null, waits: 1, inboxSeen: 0 };
    await world.commit(transition(a, { ...step(a, 1), park }));
    (world.place as SqlitePlace).behind((db) => db.exec("UPDATE journal SET entries = 'oops'"));
    await assert.rejects(async () => world.store.load([a.id]), { code: "CLAW-4002" });
    await assert.rejects(async () => world.store.find(a.id), { code: "CLAW-4002" });
    await world.commit(transition(b, step(b, 1)));
    assert.notDeepEqual(await world.store.check(), []);
  });

  test("values that SQLite refuses are poison and spoil nothing else", async (t) => {
    const world = await openWorld(t, sqlitePlace);
    const [good, bad] = [world.row(), world.row()];
    const wrong = { ...bad, startedAt: 1.5 };
    // What an author's mistake may smuggle past the types.
    const none = { ...bad, input: undefined as unknown as string };
    const { items } = await world.commit(first(wrong), first(none), first(good));
    assert.deepEqual(
      items.map((item) => (item.status === "refused" ? item.why : item.status)),
      ["poison", "poison", "applied"],
    );
  });
});

describe("store-sqlite: the tail of journals", () => {
  test("entries are read from the tail and from rows alike, before and after it was settled", async (t) => {
    const world = await openWorld(t, sqlitePlace);
    const place = world.place as SqlitePlace;
    const row = await world.start();
    const reader = sqliteReader({ path: place.path });
    t.after(() => reader.close());
    for (let seq = 1; seq <= 200; seq++) {
      await world.commit(transition(row, step(row, seq)));
      const lengths = [
        (await world.load(row.id))?.journal.length,
        (await world.store.find(row.id))?.journal.length,
        (await reader.find(row.id))?.journal.length,
      ];
      assert.deepEqual(lengths, [seq, seq, seq]);
    }
    assert.deepEqual(await world.store.check(), []);
    const rows = place.behind((db) => db.prepare("SELECT count(*) AS n FROM tail").get());
    assert.ok(Number(rows?.["n"]) < 64);
    await world.restart();
    assert.equal((await world.load(row.id))?.journal.length, 200);
    assert.deepEqual(await world.store.check(), []);
  });

  test("a long entry goes to the rows of its run at once", async (t) => {
    const world = await openWorld(t, sqlitePlace);
    const row = await world.start();
    await world.commit(transition(row, step(row, 1)));
    const long = step(row, 2);
    const entries = long.entries.replace("2\u001e", `"${"y".repeat(20_000)}"\u001e`);
    await world.commit(transition(row, { ...long, entries }));
    await world.commit(transition(row, step(row, 3)));
    assert.equal((await world.place.countRows()).journal, 1);
    assert.equal((await world.load(row.id))?.journal.length, 3);
    assert.deepEqual(await world.store.check(), []);
  });

  test("a bad item in the batch loses no entry of others", async (t) => {
    const world = await openWorld(t, sqlitePlace);
    const [a, b] = [await world.start(), await world.start()];
    await world.commit(transition(a, step(a, 1)), transition(b, step(b, 1)));
    const stranded = { due: null, waits: 0, inboxSeen: 0 };
    await world.commit(
      transition(a, step(a, 2)),
      transition(b, { ...step(b, 2), park: stranded }),
      transition(a, step(a, 3)),
    );
    await world.commit(transition(a, step(a, 4)), transition(b, step(b, 2)));
    assert.equal((await world.load(a.id))?.journal.length, 4);
    assert.equal((await world.load(b.id))?.journal.length, 2);
    assert.deepEqual(await world.store.check(), []);
  });

  test("a gap in the tail is found by the check", async (t) => {
    const world = await openWorld(t, sqlitePlace);
    const row = await world.start();
    for (const seq of [1, 2, 3]) await world.commit(transition(row, step(row, seq)));
    (world.place as SqlitePlace).behind((db) => db.exec("DELETE FROM tail WHERE n = 2"));
    assert.match((await world.store.check())[0]?.message ?? "", /has entry 3 after entry 1/);
  });
});

describe("store-sqlite: reading without owning", () => {
  test("a reader sees each commit of the owner", async (t) => {
    const world = await openWorld(t, sqlitePlace);
    const reader = sqliteReader({ path: (world.place as SqlitePlace).path });
    t.after(() => reader.close());
    assert.deepEqual(await reader.list({ limit: 5 }), []);
    const row = await world.start();
    await world.commit(delivery(row.id));
    assert.equal((await reader.list({ limit: 5 }))[0]?.id, row.id);
    assert.deepEqual(await reader.find(row.id), await world.store.find(row.id));
    assert.deepEqual(await reader.check(), []);
  });

  test("a reader works when nobody owns the store, and does not stand in the way of an owner", async (t) => {
    const place = freshPlace(t);
    const world = await openedOn(t, place);
    const row = await world.start();
    await world.store.close();
    const reader = sqliteReader({ path: place.path });
    assert.equal((await reader.find(row.id))?.status, "running");
    await world.open();
    await world.commit(transition(row, step(row, 1)));
    assert.equal((await reader.find(row.id))?.journal.length, 1);
    reader.close();
    reader.close();
    await world.store.close();
  });

  test("a reader makes no files and changes none", async (t) => {
    const place = freshPlace(t);
    const missing = join(place.folder, "none.db");
    assert.throws(() => sqliteReader({ path: missing }), { code: "CLAW-4008" });
    assert.equal(existsSync(missing), false);
    const empty = join(place.folder, "empty.db");
    writeFileSync(empty, "");
    assert.throws(() => sqliteReader({ path: empty }), { code: "CLAW-4008" });
    assert.equal(statSync(empty).size, 0);
  });

  test("a reader reads from a folder that may not be written", async (t) => {
    const place = freshPlace(t);
    const world = await openedOn(t, place);
    const row = await world.start();
    await world.store.close();
    chmodSync(place.path, 0o444);
    await withoutRights(place.folder, async () => {
      const reader = sqliteReader({ path: place.path });
      assert.equal((await reader.find(row.id))?.id, row.id);
      reader.close();
    });
  });
});
