import assert from "node:assert/strict";
import { test } from "node:test";
import type { DecisionItem } from "@claw/core/ports";
import type { OpenApproval, StartRow } from "@claw/core/protocol";
import type { PlaceMaker } from "./place.ts";
import { BEGIN_MS, finish, openWorld, transition } from "./world.ts";

function opened({ id }: StartRow, fields: Partial<OpenApproval> = {}): OpenApproval {
  return {
    run: id,
    call: "approval",
    title: "May it?",
    form: '{"type":"object"}',
    assignees: [],
    createdAt: BEGIN_MS,
    expiresAt: null,
    ...fields,
  };
}

function decision({ id }: StartRow, call = "approval"): DecisionItem {
  return { type: "decision", run: id, call, data: '{"decision":"approve","by":"ada"}' };
}

const RESTING = { park: { due: null, waits: 1, inboxSeen: 0 } } as const;

/** Approvals: the counterpart rows that owe a wake. */
export function proveApprovals(make: PlaceMaker): void {
  test("an open approval is listed and loaded with its run, also after a restart", async (t) => {
    const world = await openWorld(t, make);
    const row = world.row();
    const one = opened(row, { assignees: ["ada"], expiresAt: BEGIN_MS + 9 });
    await world.start({ rare: { approvals: [one] }, ...RESTING }, row);
    await world.commit(transition(row, { rare: { approvals: [{ ...one, title: "again" }] } }));
    await world.restart();
    assert.deepEqual(await world.store.approvals({ limit: 9 }), [one]);
    assert.deepEqual((await world.load(row.id))?.waits, ["approval"]);
  });

  test("a decision removes the approval and wakes its run with a message", async (t) => {
    const world = await openWorld(t, make);
    const row = world.row();
    await world.start({ rare: { approvals: [opened(row)] }, ...RESTING }, row);
    const answer = await world.commit(decision(row));
    assert.deepEqual(answer.items, [{ status: "applied", parked: false }]);
    assert.deepEqual(
      answer.delivered.map(({ to, kind, name }) => [to, kind, name]),
      [[row.id, "approval", "approval"]],
    );
    assert.deepEqual(await world.store.approvals({ limit: 9 }), []);
    assert.deepEqual(await world.due(), [row.id]);
    const again = await world.commit(decision(row));
    assert.deepEqual(again.items, [{ status: "refused", why: "state", detail: "decided" }]);
    assert.deepEqual(await world.store.check(), []);
  });

  test("what is not open cannot be decided", async (t) => {
    const world = await openWorld(t, make);
    const row = world.row();
    const late = opened(row, { expiresAt: BEGIN_MS });
    await world.start({ rare: { approvals: [late] }, ...RESTING }, row);
    const ended = await world.start();
    await world.commit(transition(ended, { finish: finish(ended) }));
    const answer = await world.commit(
      decision(row),
      decision(row, "another"),
      decision(ended),
      decision(world.row()),
    );
    assert.deepEqual(
      answer.items.map((item) => (item.status === "refused" ? item.why : item.status)),
      ["state", "state", "closed", "unknown"],
    );
    assert.deepEqual(
      answer.items.slice(0, 2).map((item) => (item.status === "refused" ? item.detail : "")),
      ["expired", "none"],
    );
  });

  test("an approval goes when its run gives it up or ends", async (t) => {
    const world = await openWorld(t, make);
    const [one, two] = [world.row(), world.row()];
    await world.start({ rare: { approvals: [opened(one)] } }, one);
    await world.start({ rare: { approvals: [opened(two)] } }, two);
    await world.commit(
      transition(one, { rare: { unapprovals: ["approval"] } }),
      transition(two, { finish: finish(two) }),
    );
    assert.deepEqual(await world.store.approvals({ limit: 9 }), []);
    assert.deepEqual(await world.store.check(), []);
  });

  test("approvals are listed by age, run, person and namespace", async (t) => {
    const world = await openWorld(t, make);
    const [one, two, three] = [world.row(), world.row(), world.row({ namespace: "other" })];
    const rows = [
      opened(one, { createdAt: BEGIN_MS + 2, assignees: ["ada", "bob"] }),
      opened(two, { createdAt: BEGIN_MS + 1 }),
      opened(three, { createdAt: BEGIN_MS, assignees: ["eve"] }),
    ];
    for (const [at, row] of [one, two, three].entries()) {
      const approvals = rows.filter(({ run }) => run === row.id);
      assert.equal(approvals.length, 1, String(at));
      await world.start({ rare: { approvals } }, row);
    }
    const listed = async (query: object): Promise<string[]> =>
      (await world.store.approvals({ limit: 9, ...query })).map(({ run }) => run);
    assert.deepEqual(await listed({}), [three.id, two.id, one.id]);
    assert.deepEqual(await listed({ limit: 1 }), [three.id]);
    assert.deepEqual(await listed({ run: one.id }), [one.id]);
    assert.deepEqual(await listed({ assignee: "bob" }), [two.id, one.id]);
    assert.deepEqual(await listed({ namespace: "default" }), [two.id, one.id]);
  });

  test("a run at rest that counts fewer waits than it has approvals is found by the check", async (t) => {
    const world = await openWorld(t, make);
    const row = world.row();
    const approvals = [opened(row), opened(row, { call: "second" })];
    await world.start({ rare: { approvals }, ...RESTING }, row);
    const [finding] = await world.store.check();
    assert.match(finding?.message ?? "", /rests with 1 waits but has more/);
  });
}
