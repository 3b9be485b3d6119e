import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { childrenOf, ENTRY_KINDS, type OnParentEnd, type RunId } from "@claw/core/protocol";
import { type AnyWorkflow, type Context, workflow } from "@claw/sdk";
import { MemoryDisk, memoryStore } from "@claw/store-memory";
import type { Claw } from "../src/index.ts";
import { gate, World } from "./world.ts";

const POLICIES = ["cancel", "abandon", "wait"] as const;

interface Place {
  readonly world: World;
  readonly disk: MemoryDisk;
  readonly open: (...workflows: AnyWorkflow[]) => Promise<Claw>;
}

function openPlace(t: TestContext): Place {
  const disk = new MemoryDisk();
  const world = new World(t, () => memoryStore({ disk }));
  return { world, disk, open: (...workflows) => world.open(workflows) };
}

/** Waits for the signal "go". */
const child = workflow("child", async (ctx) => [await ctx.receive("go")]);

/** The id of the first child of a run. */
async function childOf(claw: Claw, run: RunId): Promise<RunId> {
  const record = await claw.find(run);
  const earlier = (record?.generations ?? []).flatMap((one) => one.journal);
  const [first] = childrenOf([...earlier, ...(record?.journal ?? [])]).values();
  return first?.run ?? "";
}

async function statusOf(claw: Claw, run: RunId): Promise<string> {
  return (await claw.find(run))?.status ?? "unknown";
}

/** How a parent with an open child ends: its code after the child was asked for, and what makes it end. */
interface End {
  readonly code: (ctx: Context, asked: Promise<unknown>) => unknown;
  readonly act?: (claw: Claw, run: RunId) => Promise<void>;
  /** Status of the parent in the end; "waiting" for one that goes on. */
  readonly status: string;
  /** A child with `wait` is asked to stop as well. */
  readonly asks: boolean;
}

const signal = (claw: Claw, run: RunId): Promise<void> => claw.signal(run, "end");

const ENDS: Readonly<Record<string, End>> = {
  completes: { code: (ctx) => ctx.receive("end"), act: signal, status: "completed", asks: false },
  fails: {
    code: async (ctx) => {
      await ctx.receive("end");
      return ctx.fail("no");
    },
    act: signal,
    status: "failed",
    asks: false,
  },
  "is compensated": {
    code: async (ctx) => {
      await ctx.run("book", () => 1, { undo: () => {} });
      await ctx.receive("end");
      return ctx.fail("no");
    },
    act: signal,
    status: "compensated",
    asks: false,
  },
  "is cancelled": {
    code: (_ctx, asked) => asked,
    act: (claw, run) => claw.cancel(run),
    status: "cancelled",
    asks: true,
  },
  "goes on as its next generation": {
    code: async (ctx) => {
      await ctx.receive("end");
      return ctx.continueAs("second");
    },
    act: signal,
    status: "completed",
    asks: false,
  },
  "loses interest in a race": {
    code: async (ctx) => {
      await ctx.race("r", [
        (inner) => inner.child(child, "raced", { onParentEnd: policyOf(ctx) }),
        (inner) => inner.receive("end"),
      ]);
      return 1;
    },
    act: signal,
    status: "completed",
    asks: false,
  },
};

function policyOf(ctx: Context): OnParentEnd {
  return ctx.info.workflow as OnParentEnd;
}

for (const [how, end] of Object.entries(ENDS)) {
  for (const policy of POLICIES) {
    for (const crash of [false, true]) {
      const says = crash ? " and its process ends in between" : "";
      test(`${policy}: a parent that ${how}${says}`, async (t) => {
        const { world, open } = openPlace(t);
        const parent = workflow(policy, async (ctx, input) => {
          if (input === "second") return 2;
          const raced = how === "loses interest in a race";
          const asked = raced ? Promise.resolve() : ctx.child(child, 0, { onParentEnd: policy });
          return end.code(ctx, asked);
        });
        const first = await open(parent, child);
        const run = await first.start(parent, "first");
        await world.until(async () => (await childOf(first, run.id)) !== "");
        const id = await childOf(first, run.id);
        await world.parked(first, run.id);
        await end.act?.(first, run.id);
        await world.calm();
        const claw = crash ? await open(parent, child) : first;
        await world.calm();
        const stops = policy === "cancel" || (policy === "wait" && end.asks);
        if (stops) await world.shows(claw, id, "cancelled");
        else assert.ok(["running", "waiting"].includes(await statusOf(claw, id)), "it goes on");
        if (policy === "wait" && !stops) {
          assert.ok(["running", "waiting", "compensating"].includes(await statusOf(claw, run.id)));
          await claw.signal(id, "go", 5);
        }
        await world.shows(claw, run.id, end.status);
        if (policy === "abandon") {
          await claw.signal(id, "go", 7);
          assert.deepEqual(await world.output(claw.run(id)), [7]);
        }
        if (policy === "wait") {
          const [one, other] = [await claw.find(id), await claw.find(run.id)];
          assert.ok((one?.endedAt ?? 0) <= (other?.endedAt ?? -1), "the child ended first");
        }
      });
    }
  }
}

for (const policy of POLICIES) {
  test(`${policy}: a parent that is terminated waits for nothing`, async (t) => {
    const { world, open } = openPlace(t);
    const parent = workflow("parent", (ctx) => ctx.child(child, 0, { onParentEnd: policy }));
    const claw = await open(parent, child);
    const run = await claw.start(parent, 1);
    await world.until(async () => (await childOf(claw, run.id)) !== "");
    const id = await childOf(claw, run.id);
    await claw.terminate(run.id);
    assert.equal(await statusOf(claw, run.id), "terminated");
    await world.calm();
    if (policy === "abandon") assert.notEqual(await statusOf(claw, id), "cancelled");
    else await world.shows(claw, id, "cancelled");
  });

  test(`${policy}: a held parent that is cancelled ends without waiting`, async (t) => {
    const { world, open } = openPlace(t);
    const parent = workflow("parent", async (ctx) => {
      const asked = ctx.child(child, 0, { onParentEnd: policy });
      await ctx.receive("break");
      if (asked instanceof Promise) throw new TypeError("a mistake");
    });
    const claw = await open(parent, child);
    const run = await claw.start(parent, 1);
    await claw.signal(run.id, "break");
    await world.shows(claw, run.id, "bug");
    const id = await childOf(claw, run.id);
    await claw.cancel(run.id);
    await world.shows(claw, run.id, "cancelled");
    await world.calm();
    if (policy === "abandon") assert.notEqual(await statusOf(claw, id), "cancelled");
    else await world.shows(claw, id, "cancelled");
  });
}

test("a run that only waits for its children takes no update, answers queries, and can be skipped on", async (t) => {
  const { world, open } = openPlace(t);
  const parent = workflow("parent", async (ctx) => {
    ctx.query("state", () => "ended");
    ctx.update("change", {}, () => 1);
    void ctx.child(child, 0, { onParentEnd: "wait" });
    await ctx.run("s", () => 1);
    return "done";
  });
  const claw = await open(parent, child);
  const run = await claw.start(parent, 1);
  await world.parked(claw, run.id);
  assert.equal(await claw.query(run.id, "state"), "ended");
  await assert.rejects(claw.update(run.id, "change", 1), { code: "CLAW-2015" });
  const id = await childOf(claw, run.id);
  await claw.skip(run.id, "child:child", [1], { by: "ada" });
  assert.equal(await world.output(run), "done");
  await world.shows(claw, id, "cancelled");
});

test("a run that waits for its children is cancelled: they are asked to stop, and its own end stands", async (t) => {
  const { world, open } = openPlace(t);
  const parent = workflow("parent", async (ctx) => {
    void ctx.child(child, 0, { onParentEnd: "wait" });
    await ctx.run("s", () => 1);
    return "done";
  });
  const first = await open(parent, child);
  const run = await first.start(parent, 1);
  await world.parked(first, run.id);
  const id = await childOf(first, run.id);
  await first.cancel(run.id, "enough");
  const second = await open(parent, child);
  assert.equal(await world.output(second.run(run.id)), "done");
  await world.shows(second, id, "cancelled");
});

test("a cancellation that comes while a run waits to go on reaches its next generation", async (t) => {
  const { world, open } = openPlace(t);
  const parent = workflow("parent", async (ctx, input) => {
    if (input === "second") return ctx.receive("never");
    void ctx.child(child, 0, { onParentEnd: "wait" });
    await ctx.run("s", () => 1);
    return ctx.continueAs("second");
  });
  const claw = await open(parent, child);
  const run = await claw.start(parent, "first");
  await world.parked(claw, run.id);
  await claw.cancel(run.id, "enough");
  assert.equal((await world.ended(run)).status, "cancelled");
});

test("the policy that was recorded holds, whatever changed code says", async (t) => {
  const { world, open } = openPlace(t);
  const flow = (policy: OnParentEnd): AnyWorkflow =>
    workflow("parent", async (ctx) => {
      await ctx.race("r", [
        (inner) => inner.child(child, 0, { onParentEnd: policy }),
        (inner) => inner.receive("end"),
      ]);
      return ctx.receive("last");
    });
  const first = await open(flow("cancel"), child);
  const run = await first.start("parent", 1);
  await first.signal(run.id, "end");
  await world.until(async () => (await childOf(first, run.id)) !== "");
  await world.shows(first, await childOf(first, run.id), "cancelled");
  const second = await open(flow("wait"), child);
  await second.signal(run.id, "last", 3);
  assert.equal(await world.output(second.run(run.id)), 3);
});

test("a child that is waited for may not be left behind by an iteration of a checkpoint", async (t) => {
  const { world, open } = openPlace(t);
  const parent = workflow("parent", (ctx) =>
    ctx.checkpoint("loop", 0, async (inner) => {
      await inner.race("r", [
        (one) => one.child(child, 0, { onParentEnd: "wait" }),
        (one) => one.sleep(5),
      ]);
      return { done: 1 };
    }),
  );
  const claw = await open(parent, child);
  const run = await claw.start(parent, 1);
  await world.until(async () => (await statusOf(claw, run.id)) === "bug");
  assert.match(
    await world.reason(claw, run.id),
    /CLAW-2031.*the child of "loop\/0\/r\[0\]\/child:child"/,
  );
});

test("a policy that is none is a mistake of the code", async (t) => {
  const { world, open } = openPlace(t);
  const parent = workflow("parent", (ctx) =>
    ctx.child(child, 0, { onParentEnd: "kill" as OnParentEnd }),
  );
  const claw = await open(parent, child);
  const run = await claw.start(parent, 1);
  await world.shows(claw, run.id, "bug");
  assert.match(await world.reason(claw, run.id), /CLAW-1001.*onParentEnd/);
});

test("a child whose parent waits for it ends its run in the same commit as it tells the parent", async (t) => {
  const { world, disk, open } = openPlace(t);
  const go = gate();
  const quick = workflow("quick", (ctx) => ctx.run("s", () => go.promise));
  const parent = workflow("parent", async (ctx) => {
    void ctx.child(quick, 0, { onParentEnd: "wait" });
    await ctx.run("s", () => 1);
    return "done";
  });
  const claw = await open(parent, quick);
  const run = await claw.start(parent, 1);
  await world.calm();
  assert.equal(disk.closed.size, 0);
  go.open();
  assert.equal(await world.output(run), "done");
  assert.equal(disk.closed.size, 2);
});

for (const goesOn of [false, true]) {
  const as = goesOn ? "goes on as its next generation" : "ends";
  test(`a run that ${as} beside an answer that it did not see any more is taken up to wait for its child`, async (t) => {
    const { world, open } = openPlace(t);
    const waiting = workflow("waiting", (ctx) => ctx.receive("end"));
    const parent = workflow("parent", async (ctx, generation: number) => {
      if (generation > 1) return "went on";
      void ctx.child(waiting, null, { onParentEnd: "wait" });
      void ctx.receive("b");
      await ctx.receive("a");
      if (goesOn) await ctx.continueAs(2);
      return "ended";
    });
    let claw = await open(parent, waiting);
    const run = await claw.start(parent, 1);
    await world.parked(claw, run.id);
    const id = await childOf(claw, run.id);
    // Both are recorded in one transition.
    await Promise.all([claw.signal(run.id, "a"), claw.signal(run.id, "b")]);
    await world.until(async () => (await claw.find(run.id))?.journal.length === 3);
    await world.parked(claw, run.id);
    await claw.stop();
    claw = await open(parent, waiting);
    await claw.signal(id, "end");
    assert.equal(await world.output(claw.run(run.id)), goesOn ? "went on" : "ended");
  });
}

test("the end of a child whose call was closed is noted, also of one that was refused: the store is sound", async (t) => {
  const { world, disk, open } = openPlace(t);
  const held = gate();
  const busy = workflow("busy", { key: () => "k", mailbox: { max: 0 } }, (ctx) =>
    ctx.run("wait", () => held.promise),
  );
  const parent = workflow("parent", async (ctx) => {
    await ctx.race("both", [
      (inner) => inner.child(busy, undefined, { key: "refused" }),
      // Answered in the transition that asks for the child.
      (inner) => inner.attributes.set({ stage: "begun" }),
    ]);
    await ctx.race("others", [
      (inner) => inner.child(child, 0, { onParentEnd: "abandon" }),
      (inner) => inner.run("quick", () => 1),
    ]);
    await ctx.receive("end");
    return "ended";
  });
  let claw = await open(busy, parent, child);
  await claw.start(busy, undefined);
  const run = await claw.start(parent, 1);
  await world.until(async () => {
    const journal = (await claw.find(run.id))?.journal ?? [];
    return journal.filter(({ kind }) => kind === ENTRY_KINDS.childUnused).length > 0;
  }, "the note of the refusal");
  const started = childrenOf((await claw.find(run.id))?.journal ?? []);
  await claw.terminate(started.get("others[0]/child:child")?.run ?? "", "gone");
  await world.until(async () => {
    const children = childrenOf((await claw.find(run.id))?.journal ?? []);
    return [...children.values()].every(({ ended }) => ended);
  }, "the note of the end");
  await world.parked(claw, run.id);
  const copy = memoryStore({ disk: MemoryDisk.restore(disk.snapshot()) });
  await copy.open();
  assert.deepEqual(await copy.check(), []);
  await claw.stop();
  // The notes are for nobody: they change nothing when the code runs again.
  claw = await open(busy, parent, child);
  await claw.signal(run.id, "end");
  assert.equal(await world.output(claw.run(run.id)), "ended");
});

test("a child that ends while an inserted call waits before it is asked for has answered when it is", async (t) => {
  const { world, open } = openPlace(t);
  const slow = workflow("slow", (ctx) => ctx.receive<string>("value"));
  const parentOf = (inserts: readonly string[]) =>
    workflow("parent", { inserts }, async (ctx) => {
      await ctx.run("first", () => 1);
      for (const name of inserts) await ctx.receive(name);
      return ctx.child(slow, null);
    });
  let claw = await open(parentOf([]), slow);
  const run = await claw.start("parent", null);
  await world.parked(claw, run.id);
  await claw.stop();
  claw = await open(parentOf(["ok"]), slow);
  const id = await childOf(claw, run.id);
  // It is taken up by a message that it does not wait for yet.
  await claw.signal(run.id, "other");
  await world.parked(claw, run.id);
  await claw.signal(id, "value", "answered");
  await world.until(async () => (await claw.find(id))?.status === "completed");
  await world.parked(claw, run.id);
  await claw.signal(run.id, "ok");
  assert.equal(await world.output(claw.run(run.id)), "answered");
});
