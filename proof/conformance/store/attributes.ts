import assert from "node:assert/strict";
import { test } from "node:test";
import type { PlaceMaker } from "./place.ts";
import { finish, openWorld, transition } from "./world.ts";

/** Small facts of runs, set in transitions and searched by. */
export function proveAttributes(make: PlaceMaker): void {
  test("attributes are merged, null takes one away, and they outlive the run", async (t) => {
    const world = await openWorld(t, make);
    const row = await world.start({ rare: { attributes: { customer: "x", cents: 5, vip: true } } });
    await world.commit(transition(row, { rare: { attributes: { cents: 7, vip: null } } }));
    await world.commit(transition(row, { finish: finish(row) }));
    await world.restart();
    const attributes = { cents: 7, customer: "x" };
    assert.deepEqual((await world.store.find(row.id))?.attributes, attributes);
    assert.deepEqual((await world.store.list({ limit: 9 }))[0]?.attributes, attributes);
  });

  test("runs are found by all attributes that are asked for, compared as text", async (t) => {
    const world = await openWorld(t, make);
    const both = await world.start({ rare: { attributes: { customer: "x", cents: 5 } } });
    await world.start({ rare: { attributes: { customer: "x", cents: 6 } } });
    await world.start();
    const ids = async (attributes: Record<string, string | number>) =>
      (await world.store.list({ limit: 9, attributes })).map(({ id }) => id);
    assert.equal((await ids({ customer: "x" })).length, 2);
    assert.deepEqual(await ids({ customer: "x", cents: "5" }), [both.id]);
    assert.deepEqual(await ids({ customer: "x", cents: 5 }), [both.id]);
    assert.deepEqual(await ids({ nothing: "x" }), []);
  });

  test("too many attributes are refused with their transition", async (t) => {
    const world = await openWorld(t, make);
    const row = await world.start({ rare: { attributes: { a: 1 } } });
    const names = Array.from({ length: 32 }, (_, at) => [`n${at}`, at]);
    const answer = await world.commit(
      transition(row, { rare: { attributes: Object.fromEntries(names) as {} } }),
    );
    assert.equal(answer.items[0]?.status, "refused");
    assert.deepEqual((await world.store.find(row.id))?.attributes, { a: 1 });
  });
}
