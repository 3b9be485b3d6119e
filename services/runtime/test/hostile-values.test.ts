import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sqliteStore } from "@claw/store-sqlite";
import { event, task, workflow } from "@claw/sdk";
import { type Claw, openRuntime } from "../src/index.ts";

const Paid = event("order.paid");
const echo = task("echo", {}, (input: unknown) => input);

const good = workflow("good", (ctx) => ctx.run("s", () => 1));
const through = workflow("through", async (ctx, input: unknown) => {
  ctx.query("q", (given: unknown) => given);
  ctx.update("u", {}, (_inner, given: unknown) => given);
  const step = await ctx.run("step", () => input);
  const called = await ctx.call(echo, input);
  const child = await ctx.child(copy, input);
  const signal = await ctx.receive("go");
  return { step, called, child, signal };
});
const copy = workflow("copy", (_ctx, input: unknown) => input);
/** Makes the value of a test inside of a run. */
let make: () => unknown = () => null;
const inside = workflow("inside", async (ctx, where: string) => {
  const caught = async (act: () => unknown): Promise<unknown> => {
    try {
      return await act();
    } catch (error) {
      return (error as { code?: string }).code;
    }
  };
  switch (where) {
    case "step":
      return caught(() => ctx.run("s", make, { retry: { attempts: 1 } }));
    case "task":
      return caught(() => ctx.call(echo, make()));
    case "child":
      return caught(() => ctx.child(copy, make()));
    case "emit":
      return caught(() => ctx.emit(Paid, make()));
    case "attributes":
      return caught(() => ctx.attributes.set(make() as never));
    case "match":
      return caught(() => ctx.waitFor(Paid, { match: make() as never, timeout: 1 }));
    case "approval":
      return caught(() => ctx.approval(make() as never, { timeout: 1 }));
    case "continueAs":
      return caught(() => ctx.continueAs(make()));
    case "heartbeat":
      return caught(() =>
        ctx.run("s", (step) => {
          step.heartbeat(make());
          return "kept going";
        }),
      );
    case "fail":
      return ctx.fail("reason", { value: make() });
    case "throw":
      throw Object.assign(new Error("x"), { details: make() });
    default:
      return make();
  }
});

async function open(t: TestContext): Promise<Claw> {
  const folder = mkdtempSync(join(tmpdir(), "claw-hostile-"));
  const claw = await openRuntime({
    store: sqliteStore({ path: join(folder, "store.db") }),
    workflows: [good, through, copy, inside],
    tasks: [echo],
  });
  t.after(async () => {
    await claw.stop();
    rmSync(folder, { recursive: true, force: true });
  });
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

function deep(levels: number): unknown {
  let value: unknown = 1;
  for (let at = 0; at < levels; at++) value = at % 2 === 0 ? [value] : { a: value };
  return value;
}

/** What no store takes, and what is refused about it. */
const REFUSED: Readonly<Record<string, () => unknown>> = {
  "10,000 levels": () => deep(10_000),
  "a lone surrogate": () => ({ text: "a\ud800" }),
  "a lone surrogate as a name": () => ({ "\udfff": 1 }),
  "a NUL": () => ["a\0b"],
  "a NUL as a name": () => ({ "a\0": 1 }),
  "a getter that throws": () => ({
    get bad() {
      throw new TypeError("no");
    },
  }),
  "a proxy that throws": () =>
    new Proxy(
      {},
      {
        ownKeys: () => {
          throw new TypeError("no");
        },
      },
    ),
  "a toJSON that never ends": () => {
    const value: { toJSON: () => unknown } = { toJSON: () => [value] };
    return value;
  },
};

for (const [what, value] of Object.entries(REFUSED)) {
  test(`${what} is refused at every entrance with CLAW-1005, and changes nothing`, async (t) => {
    const claw = await open(t);
    const { id } = await claw.start(through, "plain");
    const before = (await claw.list()).length;
    const entrances: Readonly<Record<string, () => Promise<unknown>>> = {
      start: () => claw.start(copy, value()),
      signal: () => claw.signal(id, "go", value()),
      publish: () => claw.publish({ type: "order.paid", data: value() }),
      query: () => claw.query(id, "q", value()),
      update: () => claw.update(id, "u", value()),
      skip: () => claw.skip(id, "signal:go", value(), { by: "ada" }),
      approve: () =>
        claw.approve(id, "approval", { decision: "approve", by: "ada", value: value() }),
      enqueue: () => claw.enqueue(echo, value()),
    };
    for (const [entrance, act] of Object.entries(entrances)) {
      assert.equal(await codeOf(act), "CLAW-1005", entrance);
    }
    assert.equal((await claw.list()).length, before);
    await claw.signal(id, "go", "plain");
    assert.deepEqual(await claw.run(id).result(), {
      step: "plain",
      called: "plain",
      child: "plain",
      signal: "plain",
    });
  });

  test(`${what} inside of a run fails a call or the run, and no other run`, async (t) => {
    const claw = await open(t);
    make = value;
    const seen: Record<string, unknown> = {};
    for (const where of [
      "step",
      "task",
      "child",
      "emit",
      "attributes",
      "approval",
      "continueAs",
      "heartbeat",
      "fail",
      "throw",
      "output",
    ]) {
      const end = await (await claw.start(inside, where)).ended({ timeout: "10s" });
      seen[where] = end.status === "completed" ? end.output : end.error.code;
    }
    assert.equal(await (await claw.start(good, 1)).result(), 1);
    for (const where of ["step", "task", "child", "emit", "output", "continueAs"]) {
      assert.equal(seen[where], "CLAW-1005", where);
    }
    assert.equal(seen["heartbeat"], "kept going");
    assert.equal(seen["fail"], "CLAW-2009");
  });
}

/** Names that mean something to objects of JavaScript; as JSON they are names like any other. */
const PROTOTYPE =
  '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":2}},"toString":3,"hasOwnProperty":4,"then":5}';

test("names of prototypes are data like any other through every entrance, and pollute nothing", async (t) => {
  const claw = await open(t);
  const value = (): unknown => JSON.parse(PROTOTYPE);
  const run = await claw.start(through, value());
  assert.equal(JSON.stringify(await claw.query(run.id, "q", value())), PROTOTYPE);
  assert.equal(JSON.stringify(await claw.update(run.id, "u", value())), PROTOTYPE);
  await claw.signal(run.id, "go", value());
  const output = await run.result({ timeout: "10s" });
  for (const part of Object.values(output as object)) {
    assert.equal(JSON.stringify(part), PROTOTYPE);
  }
  await claw.publish({ type: "order.paid", data: value() });
  assert.equal(({} as { polluted?: unknown }).polluted, undefined);
});

test("names of prototypes in matches, attributes, forms and names do no harm", async (t) => {
  const claw = await open(t);
  for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
    make = () => JSON.parse(`{"${name}":"x","${name}.polluted":"x"}`) as unknown;
    const waited = await (await claw.start(inside, "match")).ended({ timeout: "10s" });
    assert.deepEqual(waited, { status: "completed", output: { ok: false, reason: "timeout" } });
    make = () => JSON.parse(`{"${name}":"x"}`) as unknown;
    const set = await claw.start(inside, "attributes");
    assert.equal((await set.ended({ timeout: "10s" })).status, "completed", name);
    const found = await claw.list({ attributes: make() as never });
    assert.deepEqual(
      found.map(({ id }) => id),
      [set.id],
      name,
    );
    assert.equal(JSON.stringify((await claw.find(set.id))?.attributes), `{"${name}":"x"}`);
    make = () =>
      JSON.parse(`{"type":"object","properties":{"${name}":{"type":"string"}}}`) as unknown;
    const form = await (await claw.start(inside, "approval")).ended({ timeout: "10s" });
    assert.deepEqual(form, { status: "completed", output: { ok: false, reason: "timeout" } });
    assert.equal(await codeOf(() => claw.start(name, 1)), "CLAW-1003");
    assert.equal(await codeOf(() => claw.enqueue(name, 1)), "CLAW-1003");
    const { id } = await claw.start(through, 1);
    assert.equal(await codeOf(() => claw.query(id, name)), "CLAW-3006");
    assert.equal(await codeOf(() => claw.update(id, name)), "CLAW-3006");
    await claw.signal(id, name, 1);
    await claw.signal(id, "go", 1);
    await claw.run(id).result({ timeout: "10s" });
  }
  assert.equal(({} as { polluted?: unknown }).polluted, undefined);
});
