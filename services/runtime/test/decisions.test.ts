import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Turns } from "@claw/core/ports";
import type { RunId } from "@claw/core/protocol";
import { type Context, workflow } from "@claw/sdk";
import { MemoryDisk, memoryStore } from "@claw/store-memory";
import type { Claw } from "../src/index.ts";
import { World } from "./world.ts";

const FORM = { type: "object" } as const;
const yes = { by: "ada", decision: "approve", value: {} } as const;

/** A world whose store answers when it is let to. */
class SlowStore {
  readonly disk = new MemoryDisk();
  readonly world: World;
  readonly held: (() => void)[] = [];
  isSlow = false;

  constructor(t: TestContext) {
    const async = (complete: () => void): void => {
      if (this.isSlow) this.held.push(complete);
      else complete();
    };
    this.world = new World(t, () => memoryStore({ disk: this.disk, async }));
  }

  /** Decides, and settles when the decision is sent; nothing is answered until `release`. */
  async decide(claw: Claw, run: RunId, call: string): Promise<{ done: Promise<void> }> {
    this.isSlow = true;
    const done = claw.approve(run, call, yes);
    // What was open is read, then the decision is sent.
    await this.world.soon(() => this.held.length === 1);
    this.held.shift()?.();
    await this.world.soon(() => this.held.length === 1);
    return { done };
  }

  release(): void {
    this.isSlow = false;
    for (const complete of this.held.splice(0)) complete();
  }
}

async function opened(world: World, claw: Claw): Promise<void> {
  await world.soon(async () => (await claw.approvals()).length === 1);
}

async function kindsOf(claw: Claw, id: RunId): Promise<readonly string[]> {
  return ((await claw.find(id))?.journal ?? []).map(({ kind, call }) => `${kind} ${call}`);
}

test("of two deciders at once, the one that fails does not let the time run out on the other", async (t) => {
  const disk = new MemoryDisk();
  const held: (() => void)[] = [];
  let isSlow = false;
  const world = new World(t, () => {
    const store = memoryStore({ disk });
    return {
      ...store,
      commit: async (batch) => {
        if (isSlow) await new Promise<void>((resolve) => held.push(resolve));
        const bad = batch.items.some((one) => one.type === "decision" && /eve/.test(one.data));
        if (!bad) return store.commit(batch);
        const answer = await store.commit({ ...batch, items: [] });
        return { ...answer, items: [{ status: "refused", why: "poison", detail: "eve" }] };
      },
    };
  });
  const flow = workflow("flow", (ctx) => ctx.approval(FORM, { timeout: "500ms" }));
  const claw = await world.open([flow]);
  const { id } = await claw.start(flow, null);
  await opened(world, claw);
  isSlow = true;
  const eve = claw.approve(id, "approval", { ...yes, by: "eve" }).catch((error: unknown) => error);
  await world.soon(() => held.length === 1);
  const ada = claw.approve(id, "approval", yes);
  await world.calm();
  held.shift()?.();
  assert.equal(((await eve) as { code?: string }).code, "CLAW-4009");
  await world.soon(() => held.length === 1);
  world.clock.advance(2_000);
  isSlow = false;
  held.shift()?.();
  await ada;
  assert.deepEqual(await world.output(claw.run(id)), { ok: true, value: yes });
});

/** Turns whose closing can be held back. */
class HeldTurns implements Turns {
  isHeld = false;
  held: (() => void) | null = null;

  next(deliver: () => void, close: () => void): void {
    setImmediate(() => {
      deliver();
      setImmediate(() => {
        if (this.isHeld) this.held = close;
        else close();
      });
    });
  }
}

test("a decision that is stored while a turn is open wins over the timeout of that time", async (t) => {
  const slow = new SlowStore(t);
  const { world } = slow;
  const turns = new HeldTurns();
  const flow = workflow("flow", async (ctx) => {
    void ctx.sleep(400);
    return ctx.approval(FORM, { timeout: 500 });
  });
  const claw = await world.open([flow], { turns });
  const { id } = await claw.start(flow, null);
  await opened(world, claw);
  const { done } = await slow.decide(claw, id, "approval");
  turns.isHeld = true;
  world.clock.advance(450);
  await world.soon(() => turns.held !== null);
  slow.release();
  await done;
  world.clock.advance(100);
  turns.isHeld = false;
  turns.held?.();
  assert.deepEqual(await world.output(claw.run(id)), { ok: true, value: yes });
});

type Asked = readonly [title: string, people: readonly string[]];

function ask(ctx: Context, [title, people]: Asked): Promise<unknown> {
  return ctx.approval(FORM, { title, assignees: [...people] });
}

/** The first generation asks and goes on without waiting; the next one asks `again`. */
function askingTwice(again: Asked) {
  return workflow("twice", async (ctx, generation: number) => {
    if (generation === 2) return ask(ctx, again);
    void ask(ctx, ["Pay?", ["ada"]]);
    await ctx.receive("go");
    return ctx.continueAs(2);
  });
}

test("a decision that was recorded, but not seen, answers the same question of the next generation", async (t) => {
  const { world } = new SlowStore(t);
  const flow = askingTwice(["Pay?", ["ada"]]);
  const claw = await world.open([flow]);
  const { id } = await claw.start(flow, 1);
  await opened(world, claw);
  // In one commit, the signal first: it opens the turn in which the code goes on.
  const decided = claw.approve(id, "approval", yes);
  await Promise.all([claw.signal(id, "go"), decided]);
  assert.deepEqual(await world.output(claw.run(id)), yes);
  assert.deepEqual(await kindsOf(claw, id), ["w ", "g /2/approval"]);
  const record = await claw.find(id);
  const before = record?.generations?.[0]?.journal.map(({ kind }) => kind);
  assert.deepEqual(before, ["m", "g"]);
});

for (const again of [
  ["Pay twice?", ["ada"]],
  ["Pay?", ["ada", "bob"]],
] as const) {
  test(`a decision does not answer another question (${again.join(" ")}), and the record says so`, async (t) => {
    const { world } = new SlowStore(t);
    const flow = askingTwice(again);
    const claw = await world.open([flow]);
    const { id } = await claw.start(flow, 1);
    await opened(world, claw);
    await Promise.all([claw.approve(id, "approval", yes), claw.signal(id, "go")]);
    await world.soon(async () => (await claw.approvals())[0]?.call === "/2/approval");
    await world.calm();
    assert.deepEqual(await kindsOf(claw, id), ["w ", "D approval"]);
    await claw.approve(id, "/2/approval", { ...yes, decision: "reject" });
    assert.deepEqual(await world.output(claw.run(id)), { ...yes, decision: "reject" });
    assert.deepEqual(await kindsOf(claw, id), ["w ", "D approval", "g /2/approval"]);
  });
}

test("a decision that is stored while its generation ends is kept, over a crash and a generation", async (t) => {
  const slow = new SlowStore(t);
  const { world } = slow;
  const flow = workflow("flow", async (ctx, generation: number) => {
    if (generation === 1) void ask(ctx, ["Pay?", []]);
    await ctx.sleep(500);
    if (generation < 3) return ctx.continueAs(generation + 1);
    return ask(ctx, ["Pay?", []]);
  });
  const first = await world.open([flow]);
  const { id } = await first.start(flow, 1);
  await opened(world, first);
  const { done } = await slow.decide(first, id, "approval");
  world.clock.advance(500);
  await world.calm();
  slow.release();
  await done;
  await world.soon(async () => (await first.find(id))?.generations?.length === 1);
  await first.stop();
  const claw = await world.open([flow]);
  assert.deepEqual(await world.output(claw.run(id)), yes);
  assert.deepEqual(await claw.approvals(), []);
});

test("a decision that nobody asks for again is in the record of the run when it ends", async (t) => {
  const slow = new SlowStore(t);
  const { world } = slow;
  const flow = workflow("flow", async (ctx, generation: number) => {
    if (generation === 2) return "over";
    void ask(ctx, ["Pay?", []]);
    await ctx.sleep(500);
    return ctx.continueAs(2);
  });
  const claw = await world.open([flow]);
  const { id } = await claw.start(flow, 1);
  await opened(world, claw);
  const { done } = await slow.decide(claw, id, "approval");
  world.clock.advance(500);
  await world.calm();
  slow.release();
  await done;
  assert.equal(await world.output(claw.run(id)), "over");
  assert.deepEqual(await kindsOf(claw, id), ["w ", "D approval"]);
});

test("a decision that comes when its branch has lost is in the record of the run", async (t) => {
  const slow = new SlowStore(t);
  const { world } = slow;
  const flow = workflow("flow", async (ctx) => {
    await ctx.race("r", [(inner) => ask(inner, ["Pay?", []]), (inner) => inner.sleep(500)]);
    await ctx.receive("end");
  });
  const claw = await world.open([flow]);
  const { id } = await claw.start(flow, null);
  await opened(world, claw);
  const { done } = await slow.decide(claw, id, "r[0]/approval");
  world.clock.advance(500);
  await world.calm();
  slow.release();
  await done;
  await claw.signal(id, "end");
  await world.output(claw.run(id));
  assert.deepEqual(await kindsOf(claw, id), ["t r[1]/sleep", "D r[0]/approval", "m signal:end"]);
});

/** Asks, and ends without waiting. */
const hasty = workflow("hasty", async (ctx) => {
  void ask(ctx, ["Pay?", []]);
  await ctx.sleep(500);
  return "over";
});

test("a decision that is under way when the code ends is in the record of the run", async (t) => {
  const slow = new SlowStore(t);
  const { world } = slow;
  const claw = await world.open([hasty]);
  const { id } = await claw.start(hasty, null);
  await opened(world, claw);
  const { done } = await slow.decide(claw, id, "approval");
  world.clock.advance(500);
  await world.calm();
  slow.release();
  await done;
  assert.equal(await world.output(claw.run(id)), "over");
  assert.deepEqual(await kindsOf(claw, id), ["t sleep", "D approval"]);
});

test("a decision that would be stored with the end of its run is refused", async (t) => {
  const slow = new SlowStore(t);
  const { world } = slow;
  const claw = await world.open([hasty]);
  const { id } = await claw.start(hasty, null);
  const other = await claw.start(hasty, null);
  await world.soon(async () => (await claw.approvals()).length === 2);
  slow.isSlow = true;
  const refused = claw.approve(id, "approval", yes).catch((error: unknown) => error);
  await world.soon(() => slow.held.length === 1);
  // A commit that the decision has to wait for.
  const signal = claw.signal(other.id, "word");
  await world.soon(() => slow.held.length === 2);
  slow.held.shift()?.();
  await world.calm();
  world.clock.advance(500);
  await world.calm();
  slow.release();
  await signal;
  assert.equal(((await refused) as { code?: string } | undefined)?.code, "CLAW-3002");
  assert.equal(await world.output(claw.run(id)), "over");
  assert.deepEqual(await kindsOf(claw, id), ["t sleep"]);
});

test("a decision that is under way when its run is terminated is in its record", async (t) => {
  const disk = new MemoryDisk();
  const held: (() => void)[] = [];
  let isSlow = false;
  // Commits wait, reads do not.
  const world = new World(t, () => {
    const store = memoryStore({ disk });
    return {
      ...store,
      commit: async (batch) => {
        if (isSlow) await new Promise<void>((resolve) => held.push(resolve));
        return store.commit(batch);
      },
    };
  });
  const claw = await world.open([hasty]);
  const { id } = await claw.start(hasty, null);
  await opened(world, claw);
  await claw.pause(id);
  isSlow = true;
  const decided = claw.approve(id, "approval", yes);
  await world.soon(() => held.length === 1);
  const terminated = claw.terminate(id, "no more");
  await world.calm();
  isSlow = false;
  held.shift()?.();
  await decided;
  await terminated;
  assert.equal((await claw.find(id))?.status, "terminated");
  assert.deepEqual(await kindsOf(claw, id), ["D approval"]);
});

test("a retry does not take over the decision that its run had no use for", async (t) => {
  const { world } = new SlowStore(t);
  const flow = workflow("flow", (ctx) => ask(ctx, ["Pay?", []]));
  const claw = await world.open([flow]);
  const { id } = await claw.start(flow, null);
  await opened(world, claw);
  await claw.pause(id);
  await claw.approve(id, "approval", yes);
  await claw.terminate(id, "wrong");
  assert.deepEqual(await kindsOf(claw, id), ["D approval"]);
  const again = await claw.retry(id);
  await opened(world, claw);
  await claw.approve(again.id, "approval", { ...yes, by: "bob" });
  assert.deepEqual(await world.output(claw.run(again.id)), { ...yes, by: "bob" });
  assert.deepEqual(await kindsOf(claw, again.id), ["b ", "g approval"]);
});
