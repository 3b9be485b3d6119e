import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { RunId } from "@claw/core/protocol";
import type { Claw } from "@claw/runtime";
import { event, type Schema, workflow } from "@claw/sdk";
import { type Fault, MemoryDisk, memoryStore } from "@claw/store-memory";
import { gate, World } from "./world.ts";

function open(t: TestContext): { world: World; faults: (Fault | null)[] } {
  const disk = new MemoryDisk();
  const faults: (Fault | null)[] = [];
  const beforeCommit = (): Fault | null => faults.shift() ?? null;
  return { world: new World(t, () => memoryStore({ disk, faults: { beforeCommit } })), faults };
}

const positive: Schema<unknown, number> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) =>
      typeof value === "number" && value > 0
        ? { value }
        : { issues: [{ message: "is no positive number" }] },
  },
};

/** An account that takes updates until it is closed. */
const account = workflow("account", async (ctx) => {
  let balance = 0;
  ctx.query("balance", () => balance);
  ctx.update("deposit", { input: positive }, async (inner, amount) => {
    await inner.run("book", () => amount);
    balance += amount;
    return balance;
  });
  ctx.update(
    "withdraw",
    {
      input: positive,
      validate: (amount) => {
        if (amount > balance) throw new Error(`only ${balance} left`);
      },
    },
    (_inner, amount) => {
      balance -= amount;
      return balance;
    },
  );
  await ctx.receive("close");
  return balance;
});

async function kinds(claw: Claw, run: RunId): Promise<[string, string][]> {
  return ((await claw.find(run))?.journal ?? []).map(({ kind, call }) => [kind, call]);
}

test("an update is recorded, runs in a scope of its own and answers what its handler returned", async (t) => {
  const { world } = open(t);
  const claw = await world.open([account]);
  const { id } = await claw.start(account, null);
  assert.equal(await claw.update(id, "deposit", 10, { id: "first" }), 10);
  assert.equal(await claw.update(id, "withdraw", 4, { id: "second" }), 6);
  assert.deepEqual(await kinds(claw, id), [
    ["p", "/update#first"],
    ["s", "/update#first/book"],
    ["q", "/update#first"],
    ["p", "/update#second"],
    ["q", "/update#second"],
  ]);
  await claw.signal(id, "close");
  assert.equal(await world.output(claw.run(id)), 6);
});

test("a refused update leaves no trace, and its id can be used again", async (t) => {
  const { world } = open(t);
  const claw = await world.open([account]);
  const { id } = await claw.start(account, null);
  await assert.rejects(claw.update(id, "withdraw", 1, { id: "w" }), {
    code: "CLAW-3007",
    message: /only 0 left/,
  });
  await assert.rejects(claw.update(id, "deposit", -1), { code: "CLAW-1004" });
  await assert.rejects(claw.update(id, "nothing"), { code: "CLAW-3006" });
  assert.deepEqual(await kinds(claw, id), []);
  await claw.update(id, "deposit", 5);
  assert.equal(await claw.update(id, "withdraw", 1, { id: "w" }), 4);
});

test("an update wakes a run at rest, and its effect is there after a restart", async (t) => {
  const { world } = open(t);
  let claw = await world.open([account]);
  const { id } = await claw.start(account, null);
  await world.parked(claw, id);
  assert.equal(await claw.update(id, "deposit", 7), 7);
  await world.parked(claw, id);
  await claw.stop();
  claw = await world.open([account]);
  assert.equal(await claw.query(id, "balance"), 7);
  assert.equal(await claw.update(id, "deposit", 1), 8);
});

test("the same id gets the recorded answer: in memory, after a restart, after the end", async (t) => {
  const { world } = open(t);
  let claw = await world.open([account]);
  const { id } = await claw.start(account, null);
  const again = (): Promise<number> => claw.update<number>(id, "deposit", 3, { id: "d" });
  assert.deepEqual(await Promise.all([again(), again()]), [3, 3]);
  assert.equal(await again(), 3);
  await assert.rejects(claw.update(id, "deposit", 4, { id: "d" }), { code: "CLAW-3003" });
  await assert.rejects(claw.update(id, "withdraw", 3, { id: "d" }), { code: "CLAW-3003" });
  await world.parked(claw, id);
  await claw.stop();
  claw = await world.open([account]);
  assert.equal(await again(), 3);
  await claw.signal(id, "close");
  assert.equal(await world.output(claw.run(id)), 3);
  assert.equal(await again(), 3);
  await assert.rejects(claw.update(id, "deposit", 4, { id: "d" }), { code: "CLAW-3003" });
  await assert.rejects(claw.update(id, "deposit", 3, { id: "other" }), { code: "CLAW-3002" });
});

test("an update goes on after a restart and answers who asks again with its id", async (t) => {
  const { world } = open(t);
  const flow = workflow("flow", async (ctx) => {
    ctx.update("slow", {}, async (inner, input: string) => {
      await inner.sleep("1h");
      return `${input} ${inner.now().getTime() >= inner.info.startedAt + 3_600_000}`;
    });
    await ctx.sleep("2h");
    return "end";
  });
  let claw = await world.open([flow]);
  const { id } = await claw.start(flow, null);
  const first = claw.update(id, "slow", "done", { id: "u", timeout: "1s" });
  const refused = assert.rejects(first, { code: "CLAW-3011" });
  await world.parked(claw, id);
  world.clock.advance(2_000);
  await refused;
  await claw.stop();
  claw = await world.open([flow]);
  let answer: unknown;
  void claw.update(id, "slow", "done", { id: "u" }).then((value) => (answer = value));
  await world.until(() => answer !== undefined);
  assert.equal(answer, "done true");
});

test("updates that come together take effect in the order of the journal, live and at replay", async (t) => {
  const { world } = open(t);
  const flow = workflow("flow", async (ctx) => {
    const seen: string[] = [];
    ctx.query("seen", () => seen);
    ctx.update("say", {}, async (inner, word: string) => {
      seen.push(`begin ${word}`);
      await inner.run("say", () => word);
      seen.push(`end ${word}`);
    });
    for (let at = 0; at < 3; at++) seen.push(`main ${await ctx.run("main", () => at)}`);
    await ctx.receive("end");
  });
  let claw = await world.open([flow]);
  const { id } = await claw.start(flow, null);
  await Promise.all(["a", "b", "c"].map((word) => claw.update(id, "say", word)));
  const live = await claw.query<string[]>(id, "seen");
  assert.equal(live.length, 9);
  await world.parked(claw, id);
  await claw.stop();
  claw = await world.open([flow]);
  assert.deepEqual(await claw.query(id, "seen"), live);
});

test("each update is checked against what the one before it has changed", async (t) => {
  const { world } = open(t);
  const claw = await world.open([account]);
  const { id } = await claw.start(account, null);
  await claw.update(id, "deposit", 5);
  const both = await Promise.allSettled([
    claw.update(id, "withdraw", 4),
    claw.update(id, "withdraw", 4),
  ]);
  assert.deepEqual(both.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
  assert.equal(await claw.query(id, "balance"), 1);
});

test("an update under way does not keep its run from ending, and is answered as abandoned", async (t) => {
  const { world } = open(t);
  const never = gate();
  const flow = workflow("flow", async (ctx) => {
    ctx.update("slow", {}, (inner) => inner.run("work", () => never.promise));
    return ctx.receive("end");
  });
  const claw = await world.open([flow]);
  const { id } = await claw.start(flow, null);
  const waiting = claw.update(id, "slow", null, { id: "u" });
  const refused = assert.rejects(waiting, { code: "CLAW-3010" });
  await world.soon(() => claw.stats().bodies === 1);
  await claw.signal(id, "end", 1);
  assert.equal(await world.output(claw.run(id)), 1);
  await refused;
  const abandoned = (await claw.find(id))?.abandoned;
  assert.deepEqual(abandoned, ["/update#u/work", "/update#u"]);
  await assert.rejects(claw.update(id, "slow", null, { id: "u" }), { code: "CLAW-3010" });
});

test("what the handler throws is the recorded answer, and the run goes on", async (t) => {
  const { world } = open(t);
  const flow = workflow("flow", async (ctx) => {
    ctx.update("decline", {}, () => {
      throw Object.assign(new Error("no funds"), { code: "NO_FUNDS" });
    });
    ctx.update("break", {}, () => (JSON.parse("null") as { field: string }).field);
    return ctx.receive("end");
  });
  const claw = await world.open([flow]);
  const { id } = await claw.start(flow, null);
  const decline = (): Promise<unknown> => claw.update(id, "decline", 1, { id: "d" });
  await assert.rejects(decline(), { code: "NO_FUNDS", message: "no funds" });
  await assert.rejects(decline(), { code: "NO_FUNDS", message: "no funds" });
  await assert.rejects(claw.update(id, "break"), { code: "CLAW-3008", name: "TypeError" });
  await claw.signal(id, "end", 1);
  assert.equal(await world.output(claw.run(id)), 1);
});

test("a handler that waits for something else than ctx is answered with a code", async (t) => {
  const { world } = open(t);
  const door = gate();
  const flow = workflow("flow", async (ctx) => {
    ctx.update("leave", {}, () => door.promise);
    ctx.update("stay", {}, () => gate().promise);
    return ctx.receive("end");
  });
  const claw = await world.open([flow]);
  const { id } = await claw.start(flow, null);
  const left = assert.rejects(claw.update(id, "leave"), { code: "CLAW-2004" });
  await world.calm();
  door.open();
  await left;
  let stayed: unknown = null;
  claw.update(id, "stay").catch((error: unknown) => (stayed = error));
  await world.until(() => stayed !== null);
  assert.equal((stayed as { code: string }).code, "CLAW-2007");
  await claw.signal(id, "end", 1);
  assert.equal(await world.output(claw.run(id)), 1);
});

test("an update decides how its workflow goes on, live and at replay", async (t) => {
  const { world } = open(t);
  const flow = workflow("flow", async (ctx) => {
    const chosen = Promise.withResolvers<string>();
    ctx.update("choose", {}, (_inner, way: string) => chosen.resolve(way));
    const way = await ctx.race("way", [() => chosen.promise, (inner) => inner.sleep("30d")]);
    await ctx.receive("go on");
    return way;
  });
  let claw = await world.open([flow]);
  const { id } = await claw.start(flow, null);
  await world.parked(claw, id);
  await claw.update(id, "choose", "left");
  await world.parked(claw, id);
  await claw.stop();
  claw = await world.open([flow]);
  await claw.signal(id, "go on");
  assert.equal(await world.output(claw.run(id)), "left");
});

test("a cancelled run's updates throw in their ctx calls", async (t) => {
  const { world } = open(t);
  const claw = await world.open([account]);
  const flow = workflow("flow", async (ctx) => {
    ctx.update("slow", {}, (inner) => inner.sleep("1h"));
    await ctx.scope("rest", (inner) => inner.receive("end"), { shield: true });
  });
  await claw.stop();
  const again = await world.open([flow]);
  const { id } = await again.start(flow, null);
  const waiting = assert.rejects(again.update(id, "slow"), { code: "CLAW-2003" });
  await world.until(async () => (await kinds(again, id)).length === 1);
  await again.cancel(id);
  await waiting;
});

test("an update whose commit was lost is there once, or not at all", async (t) => {
  for (const kind of ["fail", "lost-answer"] as const) {
    const { world, faults } = open(t);
    const claw = await world.open([account]);
    const { id } = await claw.start(account, null);
    await world.parked(claw, id);
    faults.push({ kind });
    await assert.rejects(claw.update(id, "deposit", 2, { id: "d" }), { code: "CLAW-4006" });
    await world.until(async () => {
      try {
        return (await claw.update<number>(id, "deposit", 2, { id: "d" })) === 2;
      } catch {
        return false;
      }
    });
    assert.equal(await claw.query(id, "balance"), 2);
  }
});

test("an update under way is abandoned when its run goes on as a new generation", async (t) => {
  const { world } = open(t);
  const flow = workflow("flow", async (ctx, round: number) => {
    ctx.query("round", () => round);
    ctx.update("slow", {}, (inner) => inner.sleep("1h"));
    await ctx.receive("next");
    return ctx.continueAs(round + 1);
  });
  const claw = await world.open([flow]);
  const { id } = await claw.start(flow, 1);
  const waiting = assert.rejects(claw.update(id, "slow"), { code: "CLAW-3010" });
  await world.until(async () => (await kinds(claw, id)).length === 1);
  await claw.signal(id, "next");
  await waiting;
  await world.soon(async () => (await claw.query(id, "round")) === 2);
});

test("code without the handler of a recorded update has diverged", async (t) => {
  const { world } = open(t);
  const changed = workflow("account", (ctx) => ctx.receive("close"));
  let claw = await world.open([account]);
  const { id } = await claw.start(account, null);
  await claw.update(id, "deposit", 2);
  await world.parked(claw, id);
  await claw.stop();
  claw = await world.open([changed]);
  await claw.signal(id, "close");
  await world.shows(claw, id, "diverged");
  assert.match(await world.reason(claw, id), /update "\/update#/);
  await assert.rejects(claw.update(id, "deposit", 2), { code: "CLAW-2015" });
});

test("an update of a run at rest goes on by itself after a crash", async (t) => {
  const { world } = open(t);
  const bodies: number[] = [];
  const first = gate();
  const flow = workflow("flow", async (ctx) => {
    ctx.update("work", {}, async (inner) => {
      await inner.run("body", async () => {
        bodies.push(bodies.length);
        if (bodies.length === 1) await first.promise;
      });
    });
    await ctx.waitFor(event("go"));
  });
  let claw = await world.open([flow]);
  const { id } = await claw.start(flow, 0);
  await world.parked(claw, id);
  const asked = claw.update(id, "work", 0, { id: "one" }).catch(() => {});
  await world.soon(() => bodies.length === 1);
  // Another process takes the store over: nobody asks it for anything.
  claw = await world.open([flow]);
  await world.until(() => bodies.length === 2);
  await claw.update(id, "work", 0, { id: "one" });
  assert.equal(bodies.length, 2);
  first.open();
  await asked;
});
