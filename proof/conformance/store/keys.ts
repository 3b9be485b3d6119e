import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { BatchAnswer, ItemAnswer, Start, Transition } from "@claw/core/ports";
import type { HeldHead, RunId, StartRow } from "@claw/core/protocol";
import type { PlaceMaker } from "./place.ts";
import { finish, first, openWorld, step, type StoreWorld, transition } from "./world.ts";

const NAME = { namespace: "default", workflow: "order", key: "k" };

function keyedRow(world: StoreWorld, fields: Partial<StartRow> = {}, max = 10): StartRow {
  const keyed = { key: "k", waitingMax: max, onHeldHead: "block" as HeldHead };
  return world.row({ keyed, ...fields });
}

function skipRow(world: StoreWorld): StartRow {
  return world.row({ keyed: { key: "k", waitingMax: 10, onHeldHead: "skip" } });
}

function start(row: StartRow, dedup: Start["dedup"] = null): Start {
  return { type: "start", start: { row, due: 1 }, dedup };
}

function end(row: StartRow, fields: Partial<Transition> = {}): Transition {
  return transition(row, { finish: finish(row), ...fields });
}

async function heldOf(world: StoreWorld, { id }: StartRow): Promise<string | undefined> {
  return (await world.load(id))?.row.held;
}

async function places(world: StoreWorld, rows: readonly StartRow[]): Promise<unknown[]> {
  const found: unknown[] = [];
  for (const { id } of rows) found.push((await world.store.find(id))?.queue?.place);
  return found;
}

function why(answer: BatchAnswer, at = 0): ItemAnswer | undefined {
  return answer.items[at];
}

/** The queues of keys and their states. */
export function proveKeys(make: PlaceMaker): void {
  const open = (t: TestContext): Promise<StoreWorld> => openWorld(t, make);

  test("the first run of a key is due at once, the others are queued in the order of one batch", async (t) => {
    const world = await open(t);
    const rows = [keyedRow(world), keyedRow(world), keyedRow(world)];
    const answer = await world.commit(...rows.map((row) => start(row)));
    assert.deepEqual(answer.woken, [rows[0]?.id]);
    assert.deepEqual(await world.due(), [rows[0]?.id]);
    const found = await world.store.key(NAME, 10);
    assert.deepEqual(
      [found?.head, found?.waiting, found?.next],
      [rows[0]?.id, 2, rows.slice(1).map(({ id }) => id)],
    );
    assert.equal((await world.store.find(rows[2]?.id ?? ""))?.queue?.behind, rows[1]?.id);
    assert.equal((await world.store.find(rows[2]?.id ?? ""))?.status, "queued");
    assert.deepEqual(await world.store.check(), []);
  });

  for (const status of ["completed", "failed", "compensated", "cancelled", "terminated"] as const) {
    test(`a run that ended as ${status} hands its key on in the same commit`, async (t) => {
      const world = await open(t);
      const [a, b] = [keyedRow(world), keyedRow(world)];
      await world.commit(start(a), start(b));
      const error = { name: "Error", message: "no" };
      const ending = { status, endedAt: world.nowMs, output: "", error, abandoned: [] };
      const answer = await world.commit(
        transition(a, { finish: { ...finish(a), ending: { ...ending } } }),
      );
      assert.deepEqual(answer.woken, [b.id]);
      assert.deepEqual(await world.due(), [b.id]);
      assert.deepEqual(await places(world, [a, b]), ["ended", "head"]);
      assert.deepEqual(await world.store.check(), []);
    });
  }

  test("a start and the end of the run before it in one batch: the order of the items decides", async (t) => {
    const world = await open(t);
    const [a, b, c] = [keyedRow(world), keyedRow(world), keyedRow(world)];
    await world.commit(start(a));
    const answer = await world.commit(start(b), end(a), start(c));
    assert.deepEqual(answer.woken, [b.id]);
    assert.deepEqual(await places(world, [a, b, c]), ["ended", "head", "waiting"]);
    assert.deepEqual((await world.commit(end(b), start(keyedRow(world)))).woken, [c.id]);
    assert.deepEqual(await world.store.check(), []);
  });

  test("what is owed to the next run survives a restart", async (t) => {
    const world = await open(t);
    const [a, b] = [keyedRow(world), keyedRow(world)];
    await world.commit(start(a), start(b));
    await world.commit(end(a));
    await world.restart();
    assert.deepEqual(await world.due(), [b.id]);
    assert.equal((await world.load(b.id))?.row.keyed?.place, "head");
  });

  test("a key without a state is forgotten with its last run, one with a state is not", async (t) => {
    const world = await open(t);
    const [a, b] = [keyedRow(world), keyedRow(world)];
    await world.commit(start(a));
    await world.commit(end(a));
    assert.equal(await world.store.key(NAME, 10), null);
    await world.commit(start(b));
    await world.commit(end(b, { rare: { keyState: { ...NAME, state: "5" } } }));
    assert.equal((await world.store.key(NAME, 10))?.state, "5");
  });

  test("the state is handed to the next run with its load, and only the run that has the key sets it", async (t) => {
    const world = await open(t);
    const [a, b] = [keyedRow(world), keyedRow(world)];
    await world.commit(start(a), start(b));
    await world.commit(transition(a, { rare: { keyState: { ...NAME, state: "1" } } }));
    const stray = transition(b, { rare: { keyState: { ...NAME, state: "2" } } });
    const refused = why(await world.commit(stray));
    assert.equal(refused?.status === "refused" && refused.why, "state");
    await world.commit(end(a));
    assert.equal((await world.load(b.id))?.row.keyed?.state, "1");
  });

  test("as many runs wait as may, and what is refused leaves no trace", async (t) => {
    const world = await open(t);
    const rows = [keyedRow(world, {}, 1), keyedRow(world, {}, 1), keyedRow(world, {}, 1)];
    const dedup = { scope: "s", print: "p", expiresAt: world.nowMs + 1_000 };
    const [a, b, c] = rows as [StartRow, StartRow, StartRow];
    const answer = await world.commit(start(a), start(b), start(c, dedup));
    const refused = why(answer, 2);
    assert.equal(refused?.status === "refused" && refused.why, "start");
    assert.equal(refused?.status === "refused" && refused.start?.why, "mailbox");
    assert.equal(await world.store.find(c.id), null);
    assert.equal(await world.store.findDedup("s"), null);
    await world.commit(end(a));
    assert.equal(why(await world.commit(start(c, dedup)))?.status, "applied");
  });

  test("a start that was made before is a duplicate and joins no queue", async (t) => {
    const world = await open(t);
    const dedup = { scope: "s", print: "p", expiresAt: world.nowMs + 1_000 };
    const [a, b] = [keyedRow(world), keyedRow(world)];
    await world.commit(start(a, dedup));
    const answer = why(await world.commit(start(b, dedup)));
    assert.deepEqual(answer, { status: "duplicate", run: a.id, same: true });
    assert.equal((await world.store.key(NAME, 10))?.waiting, 0);
  });

  test("how long a full mailbox asks to wait follows the time that runs had the key", async (t) => {
    const world = await open(t);
    const rows = [keyedRow(world, {}, 1), keyedRow(world, {}, 1), keyedRow(world, {}, 1)];
    const [a, b, c] = rows as [StartRow, StartRow, StartRow];
    await world.commit(start(a), start(b));
    world.nowMs += 5_000;
    await world.commit(end(a));
    await world.commit(start(keyedRow(world, {}, 1)));
    const answer = why(await world.commit(start(c)));
    assert.equal(answer?.status === "refused" && answer.start?.retryAfterMs, 5_000);
  });

  proveLeaving(open);
  proveHeldHeads(open);
  proveStartsOfRuns(open);
}

function proveLeaving(open: (t: TestContext) => Promise<StoreWorld>): void {
  test("a waiting run that ends leaves the queue, and the key stays where it is", async (t) => {
    const world = await open(t);
    const [a, b, c] = [keyedRow(world), keyedRow(world), keyedRow(world)];
    await world.commit(start(a), start(b), start(c));
    assert.deepEqual((await world.commit(end(b))).woken, []);
    assert.deepEqual(await places(world, [a, b, c]), ["head", "ended", "waiting"]);
    assert.deepEqual((await world.commit(end(a))).woken, [c.id]);
    assert.deepEqual(await world.store.check(), []);
  });

  test("a request to cancel takes a waiting run out of the queue and makes it due", async (t) => {
    const world = await open(t);
    const [a, b] = [keyedRow(world), keyedRow(world)];
    await world.commit(start(a), start(b));
    await world.commit({
      type: "delivery",
      message: { to: b.id, kind: "cancel", name: "", from: "", data: '""' },
      dedup: null,
    });
    assert.deepEqual(new Set(await world.due()), new Set([a.id, b.id]));
    const loaded = await world.load(b.id);
    assert.deepEqual([loaded?.row.held, loaded?.row.keyed?.place], ["", "ended"]);
    assert.equal((await world.store.key(NAME, 10))?.waiting, 0);
    assert.deepEqual((await world.commit(end(a))).woken, []);
    assert.deepEqual(await world.store.check(), []);
  });

  test("a signal does not wake a waiting run", async (t) => {
    const world = await open(t);
    const [a, b] = [keyedRow(world), keyedRow(world)];
    await world.commit(start(a), start(b));
    await world.commit({
      type: "delivery",
      message: { to: b.id, kind: "signal", name: "go", from: "", data: "1" },
      dedup: null,
    });
    assert.deepEqual(await world.due(), [a.id]);
    await world.commit(end(a));
    assert.equal((await world.load(b.id))?.inbox.length, 1);
  });

  test("a waiting run can be paused: it keeps its place, and is queued again when it is released", async (t) => {
    const world = await open(t);
    const [a, b] = [keyedRow(world), keyedRow(world)];
    await world.commit(start(a), start(b));
    await world.commit({ type: "pause", run: b.id, reason: "" });
    await world.commit({ type: "release", run: b.id });
    assert.equal(await heldOf(world, b), "queued");
    await world.commit({ type: "pause", run: b.id, reason: "" });
    assert.deepEqual((await world.commit(end(a))).woken, []);
    assert.deepEqual(await places(world, [a, b]), ["ended", "head"]);
    assert.deepEqual(await world.due(), []);
    await world.commit({ type: "release", run: b.id });
    assert.deepEqual(await world.due(), [b.id]);
    assert.deepEqual(await world.store.check(), []);
  });

  test("keys of other namespaces and workflows are other keys", async (t) => {
    const world = await open(t);
    const rows = [
      keyedRow(world),
      keyedRow(world, { namespace: "other" }),
      keyedRow(world, { workflow: "bill" }),
    ];
    const answer = await world.commit(...rows.map((row) => start(row)));
    assert.deepEqual(
      answer.woken,
      rows.map(({ id }) => id),
    );
    assert.deepEqual(await world.store.check(), []);
  });

  test("the sweep takes what a run was to its key and leaves the state", async (t) => {
    const world = await open(t);
    const a = keyedRow(world);
    await world.commit(start(a));
    await world.commit(end(a, { rare: { keyState: { ...NAME, state: "5" } } }));
    world.nowMs += 10_000;
    const from = { run: "", event: null };
    const endedBefore = { completed: world.nowMs };
    await world.store.sweep({
      namespace: "default",
      endedBefore,
      loggedBefore: 0,
      from,
      limit: 10,
      dryRun: false,
    });
    assert.equal(await world.store.find(a.id), null);
    assert.equal((await world.store.key(NAME, 10))?.state, "5");
    assert.deepEqual(await world.store.check(), []);
  });
}

function proveHeldHeads(open: (t: TestContext) => Promise<StoreWorld>): void {
  const hold = { kind: "bug", reason: "no" } as const;

  test("a held head blocks its key", async (t) => {
    const world = await open(t);
    const [a, b] = [keyedRow(world), keyedRow(world)];
    await world.commit(start(a), start(b));
    assert.deepEqual((await world.commit(transition(a, { hold }))).woken, []);
    assert.deepEqual(await world.due(), []);
    await world.commit({ type: "release", run: a.id });
    assert.deepEqual(await world.due(), [a.id]);
  });

  test("a held head that is to be skipped lets others past, and is the next when it is released", async (t) => {
    const world = await open(t);
    const rows = [skipRow(world), skipRow(world), skipRow(world)];
    const [a, b, c] = rows as [StartRow, StartRow, StartRow];
    await world.commit(start(a), start(b), start(c));
    assert.deepEqual((await world.commit(transition(a, { hold }))).woken, [b.id]);
    assert.deepEqual(await places(world, rows), ["aside", "head", "waiting"]);
    await world.commit({ type: "release", run: a.id });
    assert.deepEqual(await places(world, rows), ["waiting", "head", "waiting"]);
    assert.deepEqual((await world.store.key(NAME, 10))?.next, [a.id, c.id]);
    assert.deepEqual((await world.commit(end(b))).woken, [a.id]);
    assert.equal((await world.load(a.id))?.row.keyed?.passes, 1);
    assert.deepEqual(await world.store.check(), []);
  });

  test("a run that others were let past sets the state no more: nothing of that transition is written", async (t) => {
    const world = await open(t);
    const [a, b] = [skipRow(world), skipRow(world)];
    await world.commit(start(a), start(b));
    const late = transition(a, { ...step(a, 1), rare: { keyState: { ...NAME, state: "1" } } });
    const answer = await world.commit({ type: "pause", run: a.id, reason: "" }, late);
    const refused = why(answer, 1);
    assert.equal(refused?.status === "refused" && refused.why, "state");
    assert.equal((await world.load(a.id))?.journalText, "");
    assert.equal((await world.load(b.id))?.row.keyed?.state, "");
  });

  test("a held head that nobody waits for keeps its key until somebody does", async (t) => {
    const world = await open(t);
    const [a, b] = [skipRow(world), skipRow(world)];
    await world.commit(start(a));
    await world.commit({ type: "pause", run: a.id, reason: "" });
    assert.deepEqual(await places(world, [a]), ["head"]);
    assert.deepEqual((await world.commit(start(b))).woken, [b.id]);
    assert.deepEqual(await places(world, [a, b]), ["aside", "head"]);
    assert.deepEqual((await world.commit(end(b))).woken, []);
    assert.deepEqual((await world.commit({ type: "release", run: a.id })).woken, [a.id]);
    assert.deepEqual(await world.due(), [a.id]);
    assert.deepEqual(await world.store.check(), []);
  });

  test("a run that was let past and is ended leaves no trace in its key", async (t) => {
    const world = await open(t);
    const [a, b] = [skipRow(world), skipRow(world)];
    await world.commit(start(a), start(b));
    await world.commit(transition(a, { hold }));
    await world.commit(end(a));
    assert.deepEqual(await places(world, [a, b]), ["ended", "head"]);
    await world.commit(end(b));
    assert.equal(await world.store.key(NAME, 10), null);
    assert.deepEqual(await world.store.check(), []);
  });

  test("a begun run that was let past and waits again is not taken out of the queue by a cancellation", async (t) => {
    const world = await open(t);
    const [a, b] = [skipRow(world), skipRow(world)];
    await world.commit(start(a), start(b));
    await world.commit(transition(a, { hold }));
    await world.commit({ type: "release", run: a.id });
    const message = { to: a.id, kind: "cancel", name: "", from: "", data: '""' } as const;
    await world.commit({ type: "delivery", message, dedup: null });
    assert.equal(await heldOf(world, a), "queued");
    assert.deepEqual((await world.commit(end(b))).woken, [a.id]);
  });
}

function proveStartsOfRuns(open: (t: TestContext) => Promise<StoreWorld>): void {
  test("a child that its mailbox refuses is answered with the error in the same commit", async (t) => {
    const world = await open(t);
    const head = keyedRow(world, {}, 0);
    const parent = await world.start();
    const child = keyedRow(world, { parentRun: parent.id, parentCall: "c#0" }, 0);
    await world.commit(start(head));
    const answer = await world.commit(transition(parent, { starts: [{ row: child, due: 1 }] }));
    const [told] = answer.delivered;
    assert.deepEqual([told?.to, told?.kind, told?.name], [parent.id, "child", "c#0"]);
    assert.match(String(told?.data), /CLAW-2041/);
    const item = why(answer);
    assert.equal(item?.status === "applied" && item.refused?.[0]?.run, child.id);
    assert.equal(await world.store.find(child.id), null);
  });

  test("a detached run answers the call that asked for it, created or not", async (t) => {
    const world = await open(t);
    const parent = await world.start();
    const [a, b] = [keyedRow(world, {}, 0), keyedRow(world, {}, 0)];
    const answers = { [a.id]: "s#0", [b.id]: "s#1" } satisfies Record<RunId, string>;
    const starts = [a, b].map((row) => ({ row, due: 1 }) as const);
    const answer = await world.commit(transition(parent, { starts, rare: { answers } }));
    assert.deepEqual(
      answer.delivered.map(({ kind, name, data }) => [kind, name, data.includes("CLAW-2041")]),
      [
        ["start", "s#0", false],
        ["start", "s#1", true],
      ],
    );
    const again = await world.commit(
      transition(parent, { starts: [{ row: a, due: 1 }], rare: { answers } }),
    );
    assert.deepEqual(again.delivered, []);
  });

  test("a run never waits for a key that an ancestor of it stands in the queue of", async (t) => {
    const world = await open(t);
    const head = keyedRow(world);
    await world.commit(start(head));
    const middle = world.row({ parentRun: head.id, parentCall: "m#0" });
    await world.commit(transition(head, { starts: [{ row: middle, due: 0 }] }));
    const child = keyedRow(world, { parentRun: middle.id, parentCall: "c#0" });
    const answer = await world.commit(transition(middle, { starts: [{ row: child, due: 1 }] }));
    assert.match(String(answer.delivered[0]?.data), /CLAW-2042/);
    const stranger = keyedRow(world, { parentRun: (await world.start()).id, parentCall: "c#0" });
    await world.commit(transition(head, { starts: [{ row: stranger, due: 1 }] }));
    assert.equal(await heldOf(world, stranger), "queued");
  });

  test("a run of a key does not begin with a transition of its own", async (t) => {
    const world = await open(t);
    const answer = await world.commit(first(keyedRow(world)));
    assert.equal(why(answer)?.status, "refused");
  });
}
