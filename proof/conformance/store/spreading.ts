import assert from "node:assert/strict";
import { test } from "node:test";
import type { BatchAnswer } from "@claw/core/ports";
import { type EventNote, limits, type StartRow } from "@claw/core/protocol";
import type { PlaceMaker } from "./place.ts";
import { finish, first, openWorld, type StoreWorld, transition, wait } from "./world.ts";

const CROWD = limits.EVENT_SPREAD_ROWS + 3;
const RESTING = { due: null, waits: 1, inboxSeen: 0 };
const ORDER = { order: 1 };
const SPREAD = { type: "spread" } as const;

// Runs that rest and wait for the event of order 1.
async function crowd(world: StoreWorld): Promise<StartRow[]> {
  const rows = Array.from({ length: CROWD }, () => world.row());
  await world.commit(
    ...rows.map((row) => first(row, { waits: [wait("w", ORDER)], park: RESTING })),
  );
  return rows;
}

async function inboxOf(world: StoreWorld, { id }: StartRow): Promise<readonly string[]> {
  const { inbox = [] } = (await world.load(id)) ?? {};
  return inbox.map(({ name, data }) => `${name} ${(JSON.parse(data) as EventNote).event.id}`);
}

// Answers all that is owed; each commit answers as many as is right at most.
async function spreadAll(world: StoreWorld, answer: BatchAnswer): Promise<BatchAnswer[]> {
  const answers = [answer];
  while (answers.at(-1)?.owes === true) {
    answers.push(await world.commit(SPREAD));
    assert.ok((answers.at(-1)?.delivered.length ?? 0) <= limits.EVENT_SPREAD_ROWS);
    assert.ok(answers.length < 10);
  }
  return answers;
}

/** Events that very many calls wait for. */
export function proveSpreading(make: PlaceMaker): void {
  test("an event that very many wait for reaches each of them once, over several commits", async (t) => {
    const world = await openWorld(t, make);
    const rows = await crowd(world);
    const answers = await spreadAll(world, await world.commit(world.publication("e1", ORDER)));
    assert.ok(answers.length >= 3);
    const told = answers.flatMap(({ delivered }) => delivered.map(({ to }) => to));
    assert.deepEqual(
      told,
      rows.map(({ id }) => id),
    );
    assert.equal((await world.place.countRows()).waits, 0);
    assert.equal(answers.at(-1)?.owes, undefined);
    assert.deepEqual((await world.commit(SPREAD)).delivered, []);
  });

  test("what is owed when the store is closed is said at its opening, and goes on where it stood", async (t) => {
    const world = await openWorld(t, make);
    const rows = await crowd(world);
    await world.commit(world.publication("e1", ORDER));
    await world.commit(SPREAD);
    await world.restart();
    assert.equal(world.info?.owes, true);
    await spreadAll(world, await world.commit(SPREAD));
    for (const row of rows) assert.deepEqual(await inboxOf(world, row), ["w e1"]);
    await world.restart();
    assert.equal(world.info?.owes, undefined);
  });

  test("a call that waits from then on gets no event from before it, and the next one", async (t) => {
    const world = await openWorld(t, make);
    const [told, ...others] = await crowd(world);
    const published = await world.commit(world.publication("e1", ORDER));
    await world.commit(SPREAD);
    assert.ok(told !== undefined && others.length > 0);
    // One has taken the event and asks again; one began after the event.
    const again = wait("again", ORDER, { after: 1 });
    await world.commit(transition(told, { waits: [again] }));
    const late = await world.start({
      waits: [wait("late", ORDER, { since: world.nowMs + 1 })],
      park: RESTING,
    });
    await spreadAll(world, published);
    assert.deepEqual(await inboxOf(world, told), ["w e1"]);
    assert.deepEqual(await inboxOf(world, late), []);
    await spreadAll(world, await world.commit(world.publication("e2", ORDER)));
    assert.deepEqual(await inboxOf(world, told), ["w e1", "again e2"]);
    assert.deepEqual(await inboxOf(world, late), ["late e2"]);
  });

  test("a newer event of the same content comes after the one that is owed", async (t) => {
    const world = await openWorld(t, make);
    const rows = await crowd(world);
    const last = rows.at(-1) as StartRow;
    await world.commit(world.publication("e1", ORDER));
    const answer = await world.commit(world.publication("e2", ORDER));
    await spreadAll(world, answer);
    for (const row of rows) assert.deepEqual(await inboxOf(world, row), ["w e1"]);
    await world.commit(transition(last, { waits: [wait("next", ORDER, { after: 1 })] }));
    assert.deepEqual(await inboxOf(world, last), ["w e1", "next e2"]);
  });

  test("a run gets what is owed to it before a newer event, found or looked back to", async (t) => {
    const world = await openWorld(t, make);
    const rows = await crowd(world);
    const [direct, looking] = rows.slice(-2) as [StartRow, StartRow];
    await world.commit(transition(direct, { waits: [wait("other", { order: 2 })] }));
    await world.commit(world.publication("e1", ORDER));
    await world.commit(world.publication("e2", { order: 2 }));
    assert.deepEqual(await inboxOf(world, direct), ["w e1", "other e2"]);
    const answer = await world.commit(
      transition(looking, { waits: [wait("other", { order: 2 })] }),
    );
    assert.deepEqual(await inboxOf(world, looking), ["w e1", "other e2"]);
    await spreadAll(world, answer);
    assert.deepEqual(await inboxOf(world, direct), ["w e1", "other e2"]);
    assert.deepEqual(await inboxOf(world, looking), ["w e1", "other e2"]);
  });

  test("who ends or waits no longer is passed over", async (t) => {
    const world = await openWorld(t, make);
    const rows = await crowd(world);
    const [ended, given] = rows.slice(-2) as [StartRow, StartRow];
    const answer = await world.commit(world.publication("e1", ORDER));
    await world.commit(
      transition(ended, { finish: finish(ended) }),
      transition(given, { unwaits: ["w"] }),
    );
    const answers = await spreadAll(world, answer);
    assert.equal(answers.flatMap(({ delivered }) => delivered).length, CROWD - 2);
    assert.deepEqual(await inboxOf(world, given), []);
  });
}
