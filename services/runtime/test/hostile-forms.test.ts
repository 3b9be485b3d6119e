import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Clock } from "@claw/core/ports";
import { memoryStore } from "@claw/store-memory";
import { workflow } from "@claw/sdk";
import { type Claw, openRuntime } from "../src/index.ts";
import { systemClock } from "../src/system.ts";

/** A decision on a hostile form may keep the process busy for so long. */
const BUSY_MS_MAX = 6_000;

const good = workflow("good", (ctx) => ctx.run("s", () => 1));
const asks = workflow("asks", (ctx, form: Readonly<Record<string, unknown>>) => ctx.approval(form));

async function open(t: TestContext, clock: Clock = systemClock): Promise<Claw> {
  const claw = await openRuntime({ store: memoryStore(), workflows: [good, asks], clock });
  t.after(() => claw.stop());
  return claw;
}

async function codeOf(act: () => Promise<unknown>): Promise<string> {
  try {
    await act();
    return "";
  } catch (error) {
    return String((error as { code?: unknown }).code);
  }
}

async function statusOf(claw: Claw, form: unknown): Promise<{ id: string; status: string }> {
  const { id } = await claw.start("asks", form);
  for (;;) {
    const found = await claw.find(id);
    if (found?.status === "bug") return { id, status: "bug" };
    if ((await claw.approvals({ run: id })).length === 1) return { id, status: "open" };
  }
}

/** Each definition refers twice to the one before it: checking the last one takes 2^35 steps. */
function bomb(): Record<string, unknown> {
  const $defs: Record<string, unknown> = { d0: { type: "string" } };
  for (let at = 1; at < 36; at++) {
    const $ref = `#/$defs/d${at - 1}`;
    $defs[`d${at}`] = { allOf: [{ $ref }, { $ref, title: String(at) }] };
  }
  return { $defs, $ref: "#/$defs/d35" };
}

const SLOW: Readonly<Record<string, readonly [form: () => unknown, value: unknown]>> = {
  "a pattern that backtracks for ever": [
    () => ({ type: "string", pattern: "^(a+)+$" }),
    `${"a".repeat(60)}!`,
  ],
  "a pattern of names that backtracks for ever": [
    () => ({ patternProperties: { "^(a|a)*$": { type: "string" } } }),
    { [`${"a".repeat(60)}!`]: 1 },
  ],
  "references that multiply": [bomb, "x"],
  "a list whose items must differ": [
    () => ({ type: "array", uniqueItems: true }),
    Array.from({ length: 60_000 }, (_, at) => ({ at })),
  ],
};

for (const [what, [form, value]] of Object.entries(SLOW)) {
  test(`${what} costs a decision a bounded time, and the node goes on`, async (t) => {
    const claw = await open(t);
    const { id, status } = await statusOf(claw, form());
    const begun = performance.now();
    if (status === "open") {
      const decided = codeOf(() =>
        claw.approve(id, "approval", { decision: "approve", by: "ada", value }),
      );
      assert.equal(await decided, "CLAW-3091");
      await claw.approve(id, "approval", { decision: "reject", by: "ada" });
      assert.equal((await claw.run(id).ended()).status, "completed");
    }
    assert.ok(performance.now() - begun < BUSY_MS_MAX, "it took too long");
    assert.equal(await (await claw.start(good, 1)).result(), 1);
  });
}

const BROKEN: Readonly<Record<string, unknown>> = {
  "a reference to elsewhere": { $ref: "https://example.org/schema.json" },
  "a reference to nowhere": { $ref: "#/$defs/none" },
  "a pattern that is none": { type: "string", pattern: "(" },
  "a type that is none": { type: "anything" },
  "a list": [],
  "a text": "form",
  "a huge form": { description: "x".repeat(70_000) },
  "a form that is nested deeply": JSON.parse(`${'{"not":'.repeat(190)}{}${"}".repeat(190)}`),
};

for (const [what, form] of Object.entries(BROKEN)) {
  test(`a form that is ${what} is a mistake of the code or harmless, and the node goes on`, async (t) => {
    const claw = await open(t);
    const { status } = await statusOf(claw, form);
    if (what !== "a form that is nested deeply") assert.equal(status, "bug");
    assert.equal(await (await claw.start(good, 1)).result(), 1);
  });
}

test("a form that refers to itself checks values of any depth that can be stored", async (t) => {
  const claw = await open(t);
  const form = { type: "object", properties: { next: { $ref: "#" } }, additionalProperties: false };
  const { id, status } = await statusOf(claw, form);
  assert.equal(status, "open", (await claw.find(id))?.reason);
  const value = JSON.parse(`${'{"next":'.repeat(150)}{}${"}".repeat(150)}`) as unknown;
  await claw.approve(id, "approval", { decision: "approve", by: "ada", value });
  assert.equal((await claw.run(id).ended()).status, "completed");
});

/** The system's clock, to which the first things that are bounded come in time or not as told, and all others do. */
function clockOf(...inTime: boolean[]): Clock {
  return {
    now: () => systemClock.now(),
    after: (delayMs, fire) => systemClock.after(delayMs, fire),
    within: (_, act) => {
      if (inTime.shift() === false) return false;
      act();
      return true;
    },
  };
}

test("a form that cannot be read in the time of the runtime's clock is a mistake of the code", async (t) => {
  const claw = await open(t, clockOf(false));
  const { id } = await statusOf(claw, { type: "integer", title: "read late" });
  assert.match((await claw.find(id))?.reason ?? "", /longer than 1000 ms to read/);
});

test("a value that cannot be checked in the time of the runtime's clock decides nothing", async (t) => {
  const claw = await open(t, clockOf(true, false));
  const { id, status } = await statusOf(claw, { type: "integer", title: "checked late" });
  assert.equal(status, "open");
  const decide = (): Promise<unknown> =>
    claw.approve(id, "approval", { decision: "approve", by: "ada", value: 1 });
  assert.equal(await codeOf(decide), "CLAW-3091");
  await decide();
  assert.equal((await claw.run(id).ended()).status, "completed");
});

test("the system's clock stops what does not end, and nothing else", () => {
  let did = 0;
  const endless = (): void => {
    for (;;) did++;
  };
  assert.equal(systemClock.within?.(20, endless), false);
  assert.ok(did > 0);
  did = 0;
  assert.equal(
    systemClock.within?.(60_000, () => void did++),
    true,
  );
  assert.equal(did, 1);
  const broken = (): void => {
    throw new TypeError("broken");
  };
  assert.throws(() => systemClock.within?.(60_000, broken), TypeError);
});
