import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { setTimeout as later } from "node:timers/promises";
import { test, type TestContext } from "node:test";
import { type AnyWorkflow, type Context, event, task, workflow } from "@claw/sdk";
import { MemoryDisk, memoryStore } from "@claw/store-memory";
import type { Claw } from "../src/index.ts";
import { World } from "./world.ts";

function open(t: TestContext): World {
  const disk = new MemoryDisk();
  return new World(t, () => memoryStore({ disk }));
}

type Code = (ctx: Context, input: unknown) => unknown;
const flow = (body: Code, version = 1): AnyWorkflow => workflow("flow", { version }, body);

// Throws anything, as code without a linter may.
function hurl(thrown: unknown): void {
  AbortSignal.abort(thrown).throwIfAborted();
}

/** Runs the old code up to where it rests, then opens the new code on it. */
async function change(
  world: World,
  before: Code,
  after: Code,
): Promise<{ claw: Claw; id: string }> {
  const first = await world.open([flow(before)]);
  const { id } = await first.start("flow", null);
  await world.parked(first, id);
  await first.stop();
  return { claw: await world.open([flow(after)]), id };
}

const Paid = event("paid");
const work = task("work", {}, (n: number) => n);
const recorded: Code = async (ctx) => {
  const a = await ctx.run("a", () => "a");
  const b = await ctx.call(work, 1);
  await ctx.sleep("10ms");
  const late = await ctx.waitFor(Paid, { match: { n: 1 }, timeout: "10ms" });
  await ctx.receive("go");
  return [a, b, late.ok];
};

const CHANGES: Readonly<Record<string, [Code, RegExp]>> = {
  "an inserted step": [
    async (ctx) => {
      await ctx.run("new", () => assert.fail("it must not run"));
      return recorded(ctx, null);
    },
    /the journal has step "a", the code asks for step new/,
  ],
  "a renamed step": [
    async (ctx) => {
      await ctx.run("b", () => assert.fail("it must not run"));
      return null;
    },
    /the journal has step "a", the code asks for step b/,
  ],
  "a removed step": [
    async (ctx) => {
      await ctx.run("a", () => "a");
      await ctx.sleep("10ms");
      await ctx.receive("go");
    },
    /the journal has step "work", the code asks for signal signal:go/,
  ],
  "code that ends before its journal": [
    async (ctx) => await ctx.run("a", () => "a"),
    /the journal has step "work", the code asks for nothing/,
  ],
  "a call of another kind": [
    async (ctx) => {
      await ctx.scope("s", () => 1);
      await ctx.start(flow(recorded), 1, { key: 1 }).catch(() => 1);
    },
    /the journal has step "a"/,
  ],
  "another input of a task": [
    async (ctx) => {
      await ctx.run("a", () => "a");
      await ctx.call(work, 2);
    },
    /the journal has step [0-9a-z]+ "work", the code asks for step [0-9a-z]+/,
  ],
  "another length of a sleep": [
    async (ctx) => {
      await ctx.run("a", () => "a");
      await ctx.call(work, 1);
      await ctx.sleep("11ms");
    },
    /the journal has sleep \w+ "sleep", the code asks for sleep \w+/,
  ],
  "another match of a wait": [
    async (ctx) => {
      await ctx.run("a", () => "a");
      await ctx.call(work, 1);
      await ctx.sleep("10ms");
      await ctx.waitFor(Paid, { match: { n: 2 }, timeout: "10ms" });
    },
    /the journal has wait [0-9a-z]+ "event:paid", the code asks for event/,
  ],
};

for (const [what, [changed, reason]] of Object.entries(CHANGES)) {
  test(`${what} holds the run as diverged, and restored code completes it`, async (t) => {
    const world = open(t);
    const { claw, id } = await change(world, recorded, changed);
    await claw.signal(id, "go");
    await world.shows(claw, id, "diverged");
    assert.match(await world.reason(claw, id), reason);
    assert.equal(claw.stats().active, 0);
    const before = await claw.find(id);
    await claw.stop();
    const restored = await world.open([flow(recorded)]);
    assert.deepEqual(await world.output(restored.run(id)), ["a", 1, false]);
    const journal = (await restored.find(id))?.journal;
    assert.deepEqual(journal?.slice(0, before?.journal.length), before?.journal);
  });
}

test("calls after the end of the journal, and parallel ones in another order, are legal changes", async (t) => {
  const world = open(t);
  const branch = (name: string) => (ctx: Context) => ctx.run(name, () => name);
  const { claw, id } = await change(
    world,
    async (ctx) => {
      await ctx.all("both", [branch("a"), branch("b")]);
      await Promise.all([ctx.run("x", () => 1), ctx.run("y", () => 2)]);
      await ctx.receive("go");
    },
    async (ctx) => {
      await ctx.all("both", [branch("a"), branch("b")]);
      const [y, x] = await Promise.all([ctx.run("y", () => -1), ctx.run("x", () => -2)]);
      await ctx.receive("go");
      return [x, y, await ctx.run("appended", () => 3)];
    },
  );
  await claw.signal(id, "go");
  assert.deepEqual(await world.output(claw.run(id)), [1, 2, 3]);
});

test("a programming error holds the run, and corrected code goes on without repeating its steps", async (t) => {
  const world = open(t);
  const bodies: string[] = [];
  const broken =
    (fix: boolean): Code =>
    async (ctx) => {
      await ctx.run("once", () => bodies.push("once"));
      if (!fix) (JSON.parse("null") as { x: () => void }).x();
      return "fixed";
    };
  const first = await world.open([flow(broken(false))]);
  const run = await first.start("flow", null);
  await world.shows(first, run.id, "bug");
  assert.match(await world.reason(first, run.id), /TypeError: .*null/);
  assert.equal(first.stats().active, 0);
  await first.release(run.id);
  await world.calm();
  await world.shows(first, run.id, "bug");
  await first.stop();
  const second = await world.open([flow(broken(true))]);
  assert.equal(await world.output(second.run(run.id)), "fixed");
  assert.deepEqual(bodies, ["once"]);
});

test("a decision of the author fails the run; a mistake holds it", async (t) => {
  const world = open(t);
  const ends: [Code, string, RegExp][] = [
    [(ctx) => ctx.fail("no stock", { item: 1 }), "failed", /CLAW-2009: no stock/],
    [() => Promise.reject(new Error("plain")), "failed", /Error: plain/],
    [() => Promise.reject(new Error("")), "failed", /Error/],
    [
      (ctx) =>
        ctx.run("s", () => Promise.reject(new TypeError("in a body")), { retry: { attempts: 1 } }),
      "failed",
      /TypeError|CLAW-2001/,
    ],
    [() => Promise.reject(new RangeError("r")), "bug", /RangeError: r/],
    [() => Promise.reject(new ReferenceError("r")), "bug", /ReferenceError/],
    [() => assert.equal(1, 2), "bug", /AssertionError|Expected values/],
    [(ctx) => ctx.run("a/b", () => 1), "bug", /CLAW-1008/],
    [(ctx) => ctx.sleep("soon"), "bug", /CLAW-1007/],
    [(ctx) => ctx.all("x", [ctx.run("a", () => 1) as never]), "bug", /CLAW-1009/],
    [() => Promise.reject(Object.assign(new Error("x"), { message: 5 })), "failed", /Error: 5/],
    // Anything at all can be thrown.
    [() => hurl("text"), "failed", /text/],
    [() => hurl(null), "failed", /null/],
    [
      () => {
        throw new Proxy(new Error("x"), { get: () => assert.fail("no") });
      },
      "failed",
      /cannot be read/,
    ],
  ];
  const claw = await world.open(ends.map(([body], at) => workflow(`w${at}`, body)));
  for (const [at, [, status, reason]] of ends.entries()) {
    const run = await claw.start(`w${at}`, null);
    await world.shows(claw, run.id, status);
    assert.match(await world.reason(claw, run.id), reason);
  }
});

test("a child whose workflow is missing here holds the run even if the code catches that", async (t) => {
  const world = open(t);
  const kid = workflow("kid", () => "kid");
  const parent = flow(async (ctx) => {
    const child = await ctx.child(kid, null).catch(() => "none");
    await ctx.receive("go", { timeout: "1s" });
    return child;
  });
  const first = await world.open([parent]);
  const { id } = await first.start("flow", null);
  await world.shows(first, id, "bug");
  assert.match(await world.reason(first, id), /CLAW-1003/);
  await first.stop();
  const second = await world.open([parent, kid]);
  await second.release(id);
  assert.equal(await world.output(second.run(id)), "kid");
});

test("an await of something else than ctx is an error that says what to do", async (t) => {
  const world = open(t);
  const foreign: Code[] = [
    async (ctx) => {
      await later(1);
      await ctx.run("after", () => assert.fail("it must not run"));
    },
    async (ctx) => {
      await readFile(import.meta.filename);
      ctx.now();
    },
    async () => {
      await later(1);
      return "ended outside of a turn";
    },
    async () => {
      await later(1);
      throw new Error("failed outside of a turn");
    },
    async (ctx) => {
      await later(1);
      await ctx.scope("s", () => 1).catch(() => 1);
    },
  ];
  const claw = await world.open(foreign.map((body, at) => workflow(`w${at}`, body)));
  for (const at of foreign.keys()) {
    const run = await claw.start(`w${at}`, null);
    await until(async () => (await claw.find(run.id))?.status === "bug");
    const reason = await world.reason(claw, run.id);
    assert.match(reason, /CLAW-2004.*Move the foreign await .* into ctx\.run/s, `w${at}`);
    if (at === 3) assert.match(reason, /failed outside of a turn/);
  }
});

// Real time passes here: what is waited for is Node's own timer.
async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let at = 0; at < 1_000; at++) {
    if (await condition()) return;
    await later(1);
  }
  assert.fail("the condition did not come true");
}

test("with foreignAwait 'warn' such code works, live and when it is taken up again", async (t) => {
  const world = open(t);
  const bodies: string[] = [];
  const body: Code = async (ctx) => {
    await later(1);
    const a = await ctx.run("a", () => bodies.push("a"));
    await later(1);
    const b = await ctx.run("b", () => bodies.push("b"));
    await ctx.receive("go");
    await later(1);
    return [a, b];
  };
  const lax = workflow("lax", { foreignAwait: "warn" }, body);
  let claw = await world.open([lax]);
  const run = await claw.start(lax, null);
  await until(async () => (await claw.find(run.id))?.status === "waiting");
  await claw.stop();
  claw = await world.open([lax]);
  await claw.signal(run.id, "go");
  let output: unknown = null;
  void claw
    .run(run.id)
    .result()
    .then((value) => (output = value));
  await until(async () => output !== null);
  assert.deepEqual(output, [1, 2]);
  assert.deepEqual(bodies, ["a", "b"]);
});

test("ctx used inside of a step's body fails that step with a code", async (t) => {
  const world = open(t);
  const nested = flow(async (ctx) => {
    await ctx.run("outer", async () => await ctx.run("inner", () => assert.fail("not this")));
  });
  const claw = await world.open([nested]);
  const ended = await world.ended(await claw.start(nested, null));
  assert.equal(ended.status, "failed");
  assert.equal(ended.status === "failed" && ended.error.code, "CLAW-2004");
});

test("code that waits for nothing durable is held as stuck, and released by better code", async (t) => {
  const world = open(t);
  const body =
    (fix: boolean): Code =>
    async (ctx) => {
      await ctx.run("a", () => 1);
      if (!fix) await new Promise(() => {});
      return "done";
    };
  const first = await world.open([flow(body(false))]);
  const run = await first.start("flow", null);
  await world.until(async () => (await first.find(run.id))?.status === "stuck");
  assert.match(await world.reason(first, run.id), /waits for no ctx call/);
  await first.stop();
  const second = await world.open([flow(body(true))]);
  assert.equal(await world.output(second.run(run.id)), "done");
});

test("the time that code may stand still counts from its last turn", async (t) => {
  const world = open(t);
  let free = (): void => {};
  const lax = workflow("lax", { foreignAwait: "warn" }, async (ctx) => {
    for (let at = 0; at < 3; at++) {
      await new Promise<void>((resolve) => (free = resolve));
      await ctx.run("step", () => at);
    }
    return "done";
  });
  const claw = await world.open([lax], { limits: { stuckAfterMs: 10_000 } });
  const run = await claw.start(lax, null);
  for (let at = 0; at < 3; at++) {
    await world.calm();
    world.clock.advance(9_000);
    await world.calm();
    free();
  }
  assert.equal(await world.output(run), "done");
});

test("a run without code here is held as no_code and goes on when its code is there", async (t) => {
  const world = open(t);
  const waits = flow(async (ctx) => await ctx.receive("go"));
  const first = await world.open([waits]);
  const run = await first.start("flow", null);
  await world.parked(first, run.id);
  await first.stop();
  const second = await world.open([workflow("other", () => 1), flow(() => 1, 2)]);
  await second.signal(run.id, "go", "value");
  await world.shows(second, run.id, "no_code");
  assert.match(await world.reason(second, run.id), /flow@1 is not defined here/);
  assert.equal(second.stats().active, 0);
  await second.stop();
  const third = await world.open([waits]);
  assert.equal(await world.output(third.run(run.id)), "value");
});

test("all runs for which there is code again are released at a start, however many are held", async (t) => {
  const world = open(t);
  const gone = workflow("gone", async (ctx) => await ctx.receive("go"));
  const back = workflow("back", async (ctx) => await ctx.receive("go"));
  const first = await world.open([gone, back]);
  const missing = [];
  for (let at = 0; at < 1_100; at++) missing.push(await first.start(gone, null));
  world.clock.advance(5);
  const run = await first.start(back, null);
  await world.parked(first, run.id);
  await first.stop();
  const second = await world.open([workflow("other", () => 1)]);
  for (const one of [...missing, run]) await second.signal(one.id, "go", 5);
  await world.shows(second, run.id, "no_code");
  await second.stop();
  const third = await world.open([back]);
  assert.equal(await world.output(third.run(run.id)), 5);
});

test("a held run is cancelled without its code, and its open children with it", async (t) => {
  const world = open(t);
  const child = workflow("child", async (ctx) => await ctx.receive("go"));
  const parent = workflow("parent", async (ctx) => {
    await ctx.all("both", [(c) => c.child(child, 1), (c) => c.receive("word")]);
  });
  const first = await world.open([child, parent]);
  const run = await first.start(parent, null);
  await world.parked(first, run.id);
  const [open1] = await first.list({ workflow: "child" });
  await first.stop();
  const second = await world.open([child]);
  await second.signal(run.id, "word");
  await world.shows(second, run.id, "no_code");
  await second.cancel(run.id, "not needed");
  const ended = await world.ended(second.run(run.id));
  assert.equal(ended.status, "cancelled");
  assert.match(ended.status === "cancelled" ? ended.error.message : "", /not needed/);
  await world.shows(second, open1?.id ?? "", "cancelled");
});

test("a run that is cancelled while nobody has its code ends as cancelled", async (t) => {
  const world = open(t);
  const waits = flow(async (ctx) => await ctx.receive("go"));
  const first = await world.open([waits]);
  const run = await first.start("flow", null);
  await world.parked(first, run.id);
  await first.stop();
  const second = await world.open([workflow("other", () => 1)]);
  await second.cancel(run.id);
  assert.equal((await world.ended(second.run(run.id))).status, "cancelled");
});
