import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { MemoryDisk, memoryStore } from "@claw/store-memory";
import { type Context, event, type Workflow, workflow, type WorkflowOptions } from "@claw/sdk";
import { gate, World } from "./world.ts";

type Code = (ctx: Context, did: string[]) => Promise<unknown>;

/** A run of `first`, stopped where it waits, that goes on with `second` and gets the signal "go". */
async function changeCode(
  t: TestContext,
  first: Code,
  second: Code,
  options: WorkflowOptions<unknown, unknown> = {},
  firstOptions: WorkflowOptions<unknown, unknown> = {},
) {
  const disk = new MemoryDisk();
  const world = new World(t, () => memoryStore({ disk }));
  const did: string[] = [];
  const before = workflow("w", firstOptions, (ctx) => first(ctx, did));
  const old = await world.open([before]);
  const run = await old.start(before, undefined);
  await world.parked(old, run.id);
  await old.stop();
  const after = workflow("w", options, (ctx) => second(ctx, did));
  const claw = await world.open([after]);
  return { world, claw, did, run: claw.run(run.id), id: run.id };
}

const step = (ctx: Context, did: string[], name: string) =>
  ctx.run(name, () => void did.push(name));

test("a run that is past a patch keeps its old way, at every later replay", async (t) => {
  const { world, claw, did, run, id } = await changeCode(
    t,
    async (ctx, did) => {
      await step(ctx, did, "a");
      await step(ctx, did, "b");
      await ctx.receive("go");
      await ctx.receive("go");
    },
    async (ctx, did) => {
      await step(ctx, did, "a");
      if (ctx.patched("new")) await step(ctx, did, "new");
      await step(ctx, did, "b");
      await ctx.receive("go");
      await ctx.receive("go");
    },
  );
  await claw.signal(id, "go");
  await world.parked(claw, id);
  await claw.signal(id, "go");
  await world.output(run);
  assert.deepEqual(did, ["a", "b"]);
});

test("a run that comes to a patch with nothing undelivered takes the new way and stays on it", async (t) => {
  const code =
    (patched: (ctx: Context) => boolean): Code =>
    async (ctx, did) => {
      await step(ctx, did, "a");
      await ctx.receive("go");
      if (patched(ctx)) await step(ctx, did, "new");
      await ctx.receive("on");
      await step(ctx, did, "b");
    };
  const { world, claw, did, run, id } = await changeCode(
    t,
    code(() => false),
    code((ctx) => ctx.patched("new")),
  );
  await claw.signal(id, "go");
  await world.until(() => did.includes("new"));
  await world.parked(claw, id);
  assert.equal((await claw.find(id))?.journal.filter(({ kind }) => kind === "h").length, 1);
  await claw.signal(id, "on");
  await world.output(run);
  assert.deepEqual(did, ["a", "new", "b"]);
});

test("a patch is decided durably before any body starts", async (t) => {
  const seen: string[] = [];
  const disk = new MemoryDisk();
  const world = new World(t, () => memoryStore({ disk }));
  const flow = workflow("w", async (ctx) => {
    if (!ctx.patched("new")) return;
    await ctx.run("new", () => void seen.push(disk.snapshot()));
  });
  const claw = await world.open([flow]);
  await world.output(await claw.start(flow, undefined));
  assert.match(seen[0] ?? "", /\\"new\\"/);
});

test("a run begun by code that declares a patch has it also where records are undelivered", async (t) => {
  const disk = new MemoryDisk();
  const world = new World(t, () => memoryStore({ disk }));
  const held = gate();
  const answers: boolean[] = [];
  const flow = workflow("w", { patches: ["new"] }, async (ctx) => {
    const late = ctx.run("late", () => 2);
    await ctx.run("early", () => 1);
    answers.push(ctx.patched("new"));
    await late;
    await ctx.run("hold", () => held.promise);
  });
  const first = await world.open([flow]);
  const run = await first.start(flow, undefined);
  await world.soon(() => answers.length === 1);
  await world.soon(async () => (await first.find(run.id))?.journal.length === 3);
  await first.stop();
  const claw = await world.open([flow]);
  await world.soon(() => answers.length === 2);
  held.open();
  await world.output(claw.run(run.id));
  assert.deepEqual(answers, [true, true]);
});

test("a patch that only the new code declares is not given to a run of the old code", async (t) => {
  const { world, claw, did, run, id } = await changeCode(
    t,
    async (ctx, did) => {
      await step(ctx, did, "a");
      await ctx.receive("go");
    },
    async (ctx, did) => {
      if (ctx.patched("new")) await step(ctx, did, "new");
      await step(ctx, did, "a");
      await ctx.receive("go");
    },
    { patches: ["new"] },
  );
  await claw.signal(id, "go");
  await world.output(run);
  assert.deepEqual(did, ["a"]);
});

const beforeRecorded: Code = async (ctx, did) => {
  await step(ctx, did, "new");
  await step(ctx, did, "a");
  await ctx.receive("go");
  await step(ctx, did, "b");
};

const withoutIt: Code = async (ctx, did) => {
  await step(ctx, did, "a");
  await ctx.receive("go");
  await step(ctx, did, "b");
};

test("a call that is asked for before recorded ones diverges when it is not declared", async (t) => {
  const { world, claw, did, id } = await changeCode(t, withoutIt, beforeRecorded);
  await claw.signal(id, "go");
  await world.shows(claw, id, "diverged");
  assert.deepEqual(did, ["a"]);
});

test("a declared insert goes live once, before what is recorded is asked for", async (t) => {
  const { world, claw, did, run, id } = await changeCode(t, withoutIt, beforeRecorded, {
    inserts: ["new"],
  });
  await claw.signal(id, "go");
  await world.output(run);
  assert.deepEqual(did, ["a", "new", "b"]);
});

test("an inserted wait parks, takes its signal and its branches keep their order", async (t) => {
  const { world, claw, did, run, id } = await changeCode(
    t,
    async (ctx, did) => {
      await ctx.all("both", [
        (inner) => step(inner, did, "x"),
        async (inner) => {
          await step(inner, did, "y");
          await step(inner, did, "z");
        },
      ]);
      await ctx.receive("go");
    },
    async (ctx, did) => {
      await ctx.all("both", [
        async (inner) => {
          await inner.scope("check", async (ctx) => {
            await ctx.receive("ok");
            await step(ctx, did, "checked");
          });
          await step(inner, did, "x");
        },
        async (inner) => {
          await step(inner, did, "y");
          await step(inner, did, "z");
        },
      ]);
      await ctx.receive("go");
    },
    { inserts: ["check"] },
  );
  await world.parked(claw, id);
  await claw.signal(id, "ok");
  await world.until(() => did.includes("checked"));
  await claw.signal(id, "go");
  await world.output(run);
  assert.deepEqual(did, ["x", "y", "z", "checked"]);
});

test("a cancellation reaches an inserted wait although recorded calls were not asked for", async (t) => {
  const { world, claw, did, run, id } = await changeCode(
    t,
    async (ctx, did) => {
      await step(ctx, did, "a");
      await ctx.run("b", () => void did.push("b"), { shield: true });
      await ctx.receive("go");
    },
    async (ctx, did) => {
      await step(ctx, did, "a");
      try {
        await ctx.receive("ok");
      } catch {
        did.push("told");
      }
      await ctx.run("b", () => void did.push("b again"), { shield: true });
      await ctx.receive("go");
    },
    { inserts: ["ok"] },
  );
  await world.parked(claw, id);
  await claw.cancel(id, "enough");
  assert.equal((await world.ended(run)).status, "cancelled");
  assert.deepEqual(did, ["a", "b", "told"]);
});

const moved = event("moved");

/** Takes an update whose handler waits for an event; ends after the last of these signals. */
const takesUpdates = (...signals: readonly string[]): Workflow =>
  workflow("w", async (ctx) => {
    ctx.update("change", {}, (inner) => inner.waitFor(moved));
    for (const signal of signals) await ctx.receive(signal);
  });

test("code that ends before the turn of an update leaves out what its handler has recorded", async (t) => {
  const disk = new MemoryDisk();
  const world = new World(t, () => memoryStore({ disk }));
  const before = takesUpdates("go", "on");
  const old = await world.open([before]);
  const { id } = await old.start(before, undefined);
  await old.signal(id, "go");
  await world.parked(old, id);
  const changed = old.update(id, "change", null);
  await world.soon(async () => (await old.find(id))?.journal.length === 2);
  await old.publish({ id: "1", type: "moved", data: 1 });
  await changed;
  await world.parked(old, id);
  await old.stop();
  const claw = await world.open([takesUpdates("go")]);
  await claw.signal(id, "on");
  await world.shows(claw, id, "diverged");
  assert.match(await world.reason(claw, id), /the journal has event "\/update#[^"]*event:moved"/);
});
