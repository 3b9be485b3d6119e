import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { type StepContext, type StepOptions, task, workflow } from "@claw/sdk";
import { MemoryDisk, memoryStore } from "@claw/store-memory";
import { gate, World } from "./world.ts";

function open(t: TestContext): World {
  const disk = new MemoryDisk();
  return new World(t, () => memoryStore({ disk }));
}

// Spelled so that a linter does not take the objects that have it for promises.
const THEN = ["th", "en"].join("");

const exact = { backoff: "fixed", initial: "10s", jitter: 0 } as const;

/** A flow of one step, whose body fails until attempt `good`. */
function flaky(options: StepOptions, good: number, seen: string[], clock: { now(): number }) {
  const begun = clock.now();
  return workflow("flaky", async (ctx) =>
    ctx.run(
      "body",
      ({ attempt, key }: StepContext) => {
        seen.push(`${attempt} ${clock.now() - begun} ${key.split("/")[1]}`);
        if (attempt < good) throw Object.assign(new Error(`no ${attempt}`), { code: "NOT_YET" });
        return attempt;
      },
      options,
    ),
  );
}

test("attempts and their pauses are counted on across stops, and the key stays the same", async (t) => {
  const world = open(t);
  const seen: string[] = [];
  const flow = flaky({ retry: { ...exact, attempts: 5 } }, 4, seen, world.clock);
  let claw = await world.open([flow]);
  const run = await claw.start(flow, null);
  await world.parked(claw, run.id);
  assert.equal(claw.stats().active, 0);
  world.clock.advance(4_000);
  await claw.stop();
  claw = await world.open([flow]);
  await world.calm();
  assert.deepEqual(seen, ["1 0 body"]);
  world.clock.advance(6_000);
  await world.soon(() => seen.length === 2);
  await claw.stop();
  claw = await world.open([flow]);
  assert.equal(await world.output(claw.run(run.id)), 4);
  assert.deepEqual(seen, ["1 0 body", "2 10000 body", "3 20000 body", "4 30000 body"]);
});

test("a stop is no attempt: the body that it interrupted runs again with its number", async (t) => {
  const world = open(t);
  const attempts: number[] = [];
  const signals: AbortSignal[] = [];
  const flow = workflow("flow", (ctx) =>
    ctx.run(
      "body",
      ({ attempt, signal }) => {
        attempts.push(attempt);
        signals.push(signal);
        return attempts.length < 3 ? new Promise(() => {}) : "done";
      },
      { retry: { attempts: 1 } },
    ),
  );
  let claw = await world.open([flow]);
  const run = await claw.start(flow, null);
  for (let stops = 1; stops <= 2; stops++) {
    await world.soon(() => attempts.length === stops);
    await claw.stop();
    assert.ok(signals[stops - 1]?.aborted);
    claw = await world.open([flow]);
  }
  assert.equal(await world.output(claw.run(run.id)), "done");
  assert.deepEqual(attempts, [1, 1, 1]);
});

test("the last attempt's error is what the code catches, live and at replay", async (t) => {
  const world = open(t);
  const caught: unknown[] = [];
  const flow = workflow("flow", async (ctx) => {
    try {
      await ctx.run(
        "body",
        ({ attempt }) => {
          const details = { attempt };
          throw Object.assign(new RangeError("broke"), { code: "BROKE", details });
        },
        { retry: { attempts: 3, initial: 0 } },
      );
    } catch (error) {
      const { name, message, code, attempts, call, details } = error as Error &
        Record<string, unknown>;
      caught.push([name, message, code, attempts, call, details]);
    }
    await ctx.receive("go");
    return null;
  });
  let claw = await world.open([flow]);
  const run = await claw.start(flow, null);
  await world.parked(claw, run.id);
  await claw.stop();
  claw = await world.open([flow]);
  await claw.signal(run.id, "go");
  await world.output(claw.run(run.id));
  const expected = ["RangeError", "broke", "BROKE", 3, "body", { attempt: 3 }];
  assert.deepEqual(caught, [expected, expected]);
});

test("an error that the policy names, or that says it is not retryable, is final at once", async (t) => {
  const world = open(t);
  const counts: Record<string, number> = {};
  const flow = workflow("flow", (ctx, kind: string) =>
    ctx.run(
      "body",
      () => {
        counts[kind] = (counts[kind] ?? 0) + 1;
        if (kind === "code") throw Object.assign(new Error("x"), { code: "CARD_DECLINED" });
        if (kind === "name") throw new SyntaxError("x");
        if (kind === "final") throw Object.assign(new Error("x"), { retryable: false });
        throw new Error("x");
      },
      { retry: { attempts: 3, initial: 0, notOn: ["CARD_DECLINED", "SyntaxError"] } },
    ),
  );
  const claw = await world.open([flow]);
  for (const kind of ["code", "name", "final", "other"]) {
    assert.equal((await world.ended(await claw.start(flow, kind))).status, "failed");
  }
  assert.deepEqual(counts, { code: 1, name: 1, final: 1, other: 3 });
});

test("an attempt that runs out of time is repeated, its late result refused, its signal aborted", async (t) => {
  const world = open(t);
  const gates = [gate<string>(), gate<string>()];
  const signals: StepContext[] = [];
  const flow = workflow("flow", (ctx) =>
    ctx.run(
      "body",
      (step) => {
        signals.push(step);
        return gates[step.attempt - 1]?.promise ?? "";
      },
      { timeout: "5s", retry: { attempts: 2, initial: 0 } },
    ),
  );
  const claw = await world.open([flow]);
  const run = await claw.start(flow, null);
  await world.soon(() => signals.length === 1);
  world.clock.advance(5_000);
  await world.soon(() => signals.length === 2);
  gates[0]?.open("late result of the first");
  await world.calm();
  // Asked for only now, it is still the first attempt's own signal.
  assert.equal(signals[0]?.signal.aborted, true);
  assert.equal(signals[1]?.signal.aborted, false);
  gates[1]?.open("second");
  assert.equal(await world.output(run), "second");
});

test("a step whose every attempt runs out of time fails with CLAW-2002", async (t) => {
  const world = open(t);
  const slow = task(
    "slow",
    { timeout: "1s", retry: { attempts: 2, initial: 0 } },
    () => new Promise(() => {}),
  );
  const flow = workflow("flow", (ctx) => ctx.call(slow, null));
  const claw = await world.open([flow]);
  const ended = await world.ended(await claw.start(flow, null));
  assert.equal(ended.status === "failed" && ended.error.code, "CLAW-2002");
  assert.match(
    ended.status === "failed" ? ended.error.message : "",
    /Attempt 2 of "slow" ran out of time/,
  );
});

test("a body that gives something that cannot be stored fails without being repeated", async (t) => {
  const world = open(t);
  let bodies = 0;
  const flow = workflow("flow", (ctx) =>
    ctx.run("body", () => {
      bodies++;
      return { a: [() => 1] } as never;
    }),
  );
  const claw = await world.open([flow]);
  const ended = await world.ended(await claw.start(flow, null));
  assert.equal(ended.status === "failed" && ended.error.code, "CLAW-1005");
  assert.match(ended.status === "failed" ? ended.error.message : "", /\$\.a\[0\]/);
  assert.equal(bodies, 1);
});

test("whatever a body gives or throws is its step's result, and the process goes on", async (t) => {
  const world = open(t);
  const bodies: Record<string, () => unknown> = {
    thenable: () => ({ [THEN]: (done: (value: unknown) => void) => done("then") }),
    brokenThenable: () => ({
      get [THEN](): never {
        throw new Error("broken then");
      },
    }),
    undefined: () => undefined,
    unreadable: () => {
      throw new Proxy(new Error("x"), { get: () => assert.fail("no") });
    },
    rejectNothing: async () => AbortSignal.abort(null).throwIfAborted(),
    throwText: () => AbortSignal.abort("text").throwIfAborted(),
  };
  const flow = workflow("flow", async (ctx, name: string) => {
    const body = bodies[name] as () => unknown;
    return await ctx.run("body", body, { retry: { attempts: 1 } });
  });
  const claw = await world.open([flow]);
  const results: Record<string, unknown> = {};
  for (const name of Object.keys(bodies)) {
    const ended = await world.ended(await claw.start(flow, name));
    results[name] = ended.status === "completed" ? ended.output : ended.error.message;
  }
  assert.deepEqual(results, {
    thenable: "then",
    brokenThenable: "broken then",
    undefined: undefined,
    unreadable: "an error that cannot be read was thrown",
    rejectNothing: "null",
    throwText: "text",
  });
});

test("the input and output of a task are checked by its schemas, also asynchronous ones", async (t) => {
  const world = open(t);
  const number = {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: async (value: unknown) =>
        typeof value === "number"
          ? { value: value + 1 }
          : { issues: [{ message: "no number", path: ["n"] }] },
    },
  } as const;
  const add = task("add", { input: number, output: number }, (n: number) =>
    n > 100 ? ("many" as never) : n,
  );
  const flow = workflow("flow", (ctx, n: number) => ctx.call(add, n));
  const claw = await world.open([flow]);
  assert.equal(await world.output(await claw.start(flow, 1)), 3);
  for (const wrong of ["text", 1_000]) {
    const ended = await world.ended(await claw.start(flow, wrong as number));
    assert.equal(ended.status === "failed" && ended.error.code, "CLAW-1004");
    assert.match(
      ended.status === "failed" ? ended.error.message : "",
      /of "add" does not match its schema: \$\.n no number/,
    );
  }
});
