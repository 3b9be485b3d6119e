import assert from "node:assert/strict";
import { test } from "node:test";
import type { RunQuery } from "@claw/core/ports";
import type { ClosedStatus, RunId, RunStatus, StartRow } from "@claw/core/protocol";
import type { PlaceMaker } from "./place.ts";
import { finish, openWorld, type StoreWorld, transition } from "./world.ts";

async function listed(world: StoreWorld, query: Partial<RunQuery>): Promise<readonly RunId[]> {
  const runs = await world.store.list({ limit: 100, ...query });
  return runs.map(({ id }) => id);
}

async function ended(world: StoreWorld, status: ClosedStatus): Promise<StartRow> {
  const row = await world.start();
  const error = status === "completed" ? null : { name: "Error", message: status };
  const ending = { status, endedAt: world.nowMs, output: "", error, abandoned: [] };
  await world.commit(transition(row, { finish: finish(row, { ending }) }));
  return row;
}

/** Lists of runs for people, and due runs for the process. */
export function proveReading(make: PlaceMaker): void {
  test("runs are listed by status, open and closed, newest first", async (t) => {
    const world = await openWorld(t, make);
    const byStatus: [RunStatus, StartRow][] = [
      ["running", await world.start()],
      ["waiting", await world.startResting()],
      ["waiting", await world.start({ park: { due: world.nowMs + 9, waits: 0, inboxSeen: 0 } })],
      ["completed", await ended(world, "completed")],
      ["failed", await ended(world, "failed")],
      ["cancelled", await ended(world, "cancelled")],
    ];
    for (const kind of ["diverged", "bug", "stuck", "no_code"] as const) {
      byStatus.push([kind, await world.start({ hold: { kind, reason: `because ${kind}` } })]);
    }
    const all = await world.store.list({ limit: 100 });
    const expected = byStatus.map(([status, { id }]) => [id, status]).reverse();
    assert.deepEqual(
      all.map(({ id, status }) => [id, status]),
      expected,
    );
    for (const status of new Set(byStatus.map(([name]) => name))) {
      const ids = expected.filter(([, name]) => name === status).map(([id]) => id);
      assert.deepEqual(await listed(world, { status }), ids, status);
    }
    const [stuck] = await world.store.list({ status: "stuck", limit: 1 });
    assert.equal(stuck?.reason, "because stuck");
    const [failed] = await world.store.list({ status: "failed", limit: 1 });
    assert.deepEqual([failed?.reason, failed?.endedAt], ["Error: failed", world.nowMs]);
  });

  test("a run that is due at once counts as running", async (t) => {
    const world = await openWorld(t, make);
    const parent = await world.start();
    const child = world.row();
    await world.commit(transition(parent, { starts: [{ row: child, due: 1 }] }));
    assert.deepEqual(await listed(world, { status: "running" }), [child.id, parent.id]);
  });

  test("pages follow each other without gap or repetition across open and closed runs", async (t) => {
    const world = await openWorld(t, make);
    const ids: RunId[] = [];
    for (let n = 0; n < 7; n++) {
      ids.unshift((n % 2 === 0 ? await world.start() : await ended(world, "completed")).id);
    }
    const pages: RunId[][] = [];
    let before: RunId | undefined;
    do {
      const page = await listed(world, { limit: 3, ...(before === undefined ? {} : { before }) });
      pages.push([...page]);
      before = page.at(-1);
    } while (before !== undefined);
    assert.deepEqual(pages, [ids.slice(0, 3), ids.slice(3, 6), ids.slice(6), []]);
  });

  test("lists are narrowed by namespace, workflow and start time", async (t) => {
    const world = await openWorld(t, make);
    const a = await world.start({}, world.row({ namespace: "x" }));
    const b = await world.start({}, world.row({ workflow: "other" }));
    const c = await world.start({}, world.row({ startedAt: world.nowMs + 50 }));
    assert.deepEqual(await listed(world, { namespace: "x" }), [a.id]);
    assert.deepEqual(await listed(world, { workflow: "other", namespace: "default" }), [b.id]);
    assert.deepEqual(await listed(world, { since: world.nowMs + 50 }), [c.id]);
    assert.deepEqual(await listed(world, { workflow: "none" }), []);
  });

  test("an unknown run is found by nobody", async (t) => {
    const world = await openWorld(t, make);
    assert.equal(await world.store.find(world.id()), null);
  });

  test("an open run is found with its journal, its hold and its due time", async (t) => {
    const world = await openWorld(t, make);
    const park = { due: world.nowMs + 7, waits: 0, inboxSeen: 0 };
    const row = await world.start({ park });
    const found = await world.store.find(row.id);
    assert.deepEqual(
      [found?.status, found?.due, found?.input, found?.output, found?.endedAt, found?.journal],
      ["waiting", world.nowMs + 7, "1", "", null, []],
    );
  });

  test("due runs come most overdue first, at most as many as asked for", async (t) => {
    const world = await openWorld(t, make);
    const rows: StartRow[] = [];
    for (const due of [30, 10, 20, 40]) {
      const park = { due: world.nowMs + due, waits: 0, inboxSeen: 0 };
      rows.push(await world.start({ park }));
    }
    assert.equal(await world.store.nextDue(world.nowMs), world.nowMs + 10);
    assert.equal(await world.store.nextDue(world.nowMs + 10), world.nowMs + 20);
    world.nowMs += 30;
    const ids = rows.map(({ id }) => id);
    assert.deepEqual(await world.due(), [ids[1], ids[2], ids[0]]);
    assert.deepEqual(await world.due(2), [ids[1], ids[2]]);
    assert.equal(await world.store.nextDue(world.nowMs), world.nowMs + 10);
  });

  test("held runs owe no look", async (t) => {
    const world = await openWorld(t, make);
    await world.start({ hold: { kind: "bug", reason: "x" } });
    assert.deepEqual(await world.due(), []);
    assert.equal(await world.store.nextDue(0), null);
  });
}
