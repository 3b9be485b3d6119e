import assert from "node:assert/strict";
import { test } from "node:test";
import type { Publication } from "@claw/core/ports";
import { type Match, matchKey, shapeOf } from "@claw/core/protocol";
import { BEGIN_MS, finish, first, message, published, transition, wait } from "../store/world.ts";
import type { SharedPlaceMaker } from "./place.ts";
import { openNodes, type SharedWorld, type TestNode } from "./world.ts";

function publication(id: string, data: unknown): Publication {
  return { ...published(BEGIN_MS, id, data), type: "publication" };
}

/** Commits of several nodes at the same time. */
export function proveMeeting(make: SharedPlaceMaker): void {
  test("an event that is published while it is subscribed to on another node is heard once", async (t) => {
    const { world, a, b } = await openNodes(t, make);
    // The shape is known before, so that only the commits meet.
    await world.startResting(a, { waits: [wait("w", { order: -1 })] });
    for (let round = 0; round < 40; round++) {
      const row = await world.start(b);
      const publishing = a.commit(publication(`e${round}`, { order: round }));
      await b.commit(transition(row, { waits: [wait("w", { order: round })] }));
      await publishing;
      const events = (await b.shared.inbox([row.id])).filter(({ kind }) => kind === "event");
      assert.equal(events.length, 1, `round ${round}`);
    }
    assert.deepEqual(await a.store.check(), []);
  });

  test("an event is indexed under a shape that another node has learned meanwhile", async (t) => {
    const { world, a, b } = await openNodes(t, make);
    for (let round = 0; round < 12; round++) {
      const match: Match = { [`field${round}`]: 1, order: 1 };
      const row = await world.start(b);
      const subscribing = b.commit(
        transition(row, {
          waits: [
            { ...wait("w", match), key: matchKey("default", "paid", match), shape: shapeOf(match) },
          ],
        }),
      );
      await a.commit(publication(`s${round}`, { [`field${round}`]: 1, order: 1 }));
      await subscribing;
      const heard = (await b.shared.inbox([row.id])).filter(({ kind }) => kind === "event");
      assert.equal(heard.length, 1, `round ${round}`);
      await a.commit(publication(`later${round}`, { [`field${round}`]: 1, order: 1 }));
    }
    assert.deepEqual(await a.store.check(), []);
  });

  test("numbers of events that a call may hear rise in the order of commits", async (t) => {
    const { world, a, b } = await openNodes(t, make);
    await world.startResting(a, { waits: [wait("w", { order: -1 })] });
    const publish = async (node: TestNode, name: string): Promise<void> => {
      for (let n = 0; n < 30; n++) await node.commit(publication(`${name}${n}`, { order: 1 }));
    };
    let after = 0;
    let done = false;
    const publishing = Promise.all([publish(a, "a"), publish(b, "b")]).then(() => {
      done = true;
    });
    // A reader that goes on from the greatest number it has seen misses nothing.
    const reader = await world.node();
    let heard = 0;
    for (let idle = false; !idle; ) {
      const wasDone = done;
      const row = await world.start(reader);
      const waits = [wait("w", { order: 1 }, { after })];
      await reader.commit(transition(row, { waits }));
      const [found] = await reader.shared.inbox([row.id]);
      await reader.commit(transition(row, { unwaits: ["w"], finish: finish(row) }));
      if (found === undefined) idle = wasDone;
      else {
        after = Number((JSON.parse(found.data) as { number: number }).number);
        heard++;
      }
    }
    await publishing;
    assert.equal(heard, 60);
  });

  test("nodes that tell each other's runs in opposite orders all come to an end", async (t) => {
    const { world, a, b } = await openNodes(t, make);
    const rows = await Promise.all(
      Array.from({ length: 12 }, async (_, n) => world.startResting(n % 2 === 0 ? a : b)),
    );
    const rounds = 25;
    const tell = async (node: TestNode, isBackwards: boolean): Promise<void> => {
      for (let n = 0; n < rounds; n++) {
        const own = world.row();
        const ids = rows.map(({ id }) => id);
        if (isBackwards) ids.reverse();
        const messages = ids.map((id) => message(id, { from: own.id }));
        const { items } = await node.commit(first(own), transition(own, { messages }));
        assert.deepEqual(new Set(items.map(({ status }) => status)), new Set(["applied"]));
        await node.commit(transition(own, { finish: finish(own) }));
      }
    };
    await Promise.all([tell(a, false), tell(b, true)]);
    for (const { id } of rows) {
      const inbox = await a.shared.inbox([id]);
      const numbers = Array.from({ length: 2 * rounds }, (_, n) => n + 1);
      assert.deepEqual(
        inbox.map(({ seq }) => seq),
        numbers,
      );
    }
    assert.deepEqual(await b.store.check(), []);
  });

  test("runs of one key that two nodes start and end have it one after the other", async (t) => {
    const { world, a, b } = await openNodes(t, make);
    let holders = 0;
    let ended = 0;
    const work = async (node: TestNode): Promise<void> => {
      for (let n = 0; n < 15; n++) {
        const keyed = { key: `k${n % 2}`, waitingMax: 100, onHeldHead: "block" } as const;
        const row = world.row({ keyed });
        await node.commit({ type: "start", start: { row, due: 1 }, dedup: null });
      }
    };
    await Promise.all([work(a), work(b)]);
    const drain = async (node: TestNode): Promise<void> => {
      while (ended < 30) {
        for (const id of await node.due()) {
          const [stored] = await node.shared.claim([id]);
          if (stored === undefined) continue;
          holders++;
          assert.ok(holders <= 2, "one run for each key");
          const { keyed, ...rest } = stored.row;
          assert.ok(keyed);
          const row = { ...world.row(), ...rest, keyed };
          holders--;
          await node.commit(transition(row, { finish: finish(startOf(row)) }));
          ended++;
        }
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    await Promise.all([drain(a), drain(b)]);
    assert.deepEqual(await a.store.check(), []);
    assert.equal((await a.store.list({ limit: 100, status: "completed" })).length, 30);
  });

  test("a request that two nodes get at once is carried out once", async (t) => {
    const { world, a, b } = await openNodes(t, make);
    for (let round = 0; round < 20; round++) {
      const dedup = { scope: `request ${round}`, print: "p", expiresAt: BEGIN_MS + 1_000 };
      const answers = await Promise.all(
        [a, b].map(async (node) => node.one(first(world.row(), { dedup }))),
      );
      assert.deepEqual(answers.map(({ status }) => status).sort(), ["applied", "duplicate"]);
    }
  });

  test("an event that two nodes publish at once is known to one of them", async (t) => {
    const { world, a, b } = await openNodes(t, make);
    for (let round = 0; round < 20; round++) {
      const row = await waiting(world, a, round);
      const answers = await Promise.all(
        [a, b].map(async (node) => node.one(publication(`twice${round}`, { order: round }))),
      );
      assert.deepEqual(answers.map(({ status }) => status).sort(), ["applied", "duplicate"]);
      assert.equal((await a.shared.inbox([row])).length, 1);
    }
  });
}

async function waiting(world: SharedWorld, node: TestNode, order: number): Promise<string> {
  return (await world.startResting(node, { waits: [wait("w", { order })] })).id;
}

// A row as the run was started with.
function startOf(row: ReturnType<SharedWorld["row"]>): ReturnType<SharedWorld["row"]> {
  const { id, namespace, workflow, version, input, startedAt, parentRun, parentCall } = row;
  const { cause, keyed } = row;
  const start = {
    id,
    namespace,
    workflow,
    version,
    input,
    startedAt,
    parentRun,
    parentCall,
    cause,
  };
  return keyed === undefined ? start : { ...start, keyed };
}
