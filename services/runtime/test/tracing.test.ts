import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import {
  otlpOf,
  type RunRecord,
  spanIdOf,
  traceIdOf,
  type TraceSpan,
  traceSpans,
} from "@claw/core/protocol";
import { event, task, workflow } from "@claw/sdk";
import { MemoryDisk, memoryStore } from "@claw/store-memory";
import type { Claw } from "../src/index.ts";
import { World } from "./world.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT = `00-${TRACE}-00f067aa0ba902b7-01`;

function openPlace(t: TestContext): World {
  const disk = new MemoryDisk();
  return new World(t, () => memoryStore({ disk }));
}

async function record(claw: Claw, id: string): Promise<RunRecord> {
  const found = await claw.find(id);
  assert.ok(found !== null);
  return found;
}

/** Spans as a tree of lines. */
function treeOf(spans: readonly TraceSpan[], parent = spans[0]?.parentId, depth = 0): string[] {
  return spans
    .filter(({ parentId }) => parentId === parent)
    .flatMap((span) => [
      `${" ".repeat(depth)}${span.name} ${span.status}`,
      ...treeOf(spans, span.spanId, depth + 1),
    ]);
}

const parents: string[] = [];

const leaf = workflow("leaf", (ctx) =>
  ctx.run("work", ({ traceparent, tracestate }) => {
    parents.push(`${traceparent} ${tracestate}`);
    return "done";
  }),
);
const branch = workflow("branch", (ctx) => ctx.child(leaf, undefined));
const Moved = event("moved");
const moved = workflow("moved", { on: Moved }, (ctx) => ctx.run("look", () => 1));
const charge = task("charge", { retry: { attempts: 2, initial: "10ms" } }, (_: null, step) => {
  parents.push(step.traceparent);
  if (step.attempt === 1) throw new Error("busy");
  return "paid";
});
const trunk = workflow("trunk", async (ctx) => {
  await ctx.span("checkout", { cents: 5 }, async (inner) => {
    await inner.call(charge, null);
    await inner.sleep("5s");
  });
  await ctx.span("branches", (inner) =>
    inner.all("both", [(one) => one.child(branch, undefined), (two) => two.sleep("1s")]),
  );
  await ctx.start(leaf, undefined);
  await ctx.emit(Moved, {});
});
const workflows = [leaf, branch, trunk, moved];

test("the journal of a run is a tree of spans: scopes, calls, attempts, waits", async (t) => {
  const world = openPlace(t);
  const claw = await world.open(workflows);
  const run = await claw.start(trunk, undefined);
  await world.output(run);
  const spans = traceSpans(await record(claw, run.id));
  assert.deepEqual(treeOf(spans), [
    "trunk ok",
    " checkout ok",
    "  charge ok",
    "   attempt 1 error",
    "   attempt 2 ok",
    "  sleep ok",
    " branches ok",
    "  both[0] ok",
    "   child:branch ok",
    "  both[1] ok",
    "   sleep ok",
    " start:leaf ok",
    " emit:moved ok",
  ]);
  const named = (name: string): TraceSpan => spans.find((one) => one.name === name) as TraceSpan;
  assert.equal(named("checkout").attributes["cents"], 5);
  assert.equal(named("attempt 1").message, "Error: busy");
  const slept = spans.find((one) => one.attributes["claw.call"] === "checkout/sleep");
  assert.ok(slept !== undefined);
  assert.ok((slept.endMs ?? 0) - slept.startMs >= 5_000);
  assert.equal(named("checkout").endMs, slept.endMs);
  assert.equal(new Set(spans.map(({ spanId }) => spanId)).size, spans.length);
  assert.deepEqual(traceSpans(await record(claw, run.id)), spans, "the same each time");
});

test("children, detached runs and runs of events are in the trace that came with the start", async (t) => {
  const world = openPlace(t);
  const claw = await world.open(workflows);
  parents.length = 0;
  const run = await claw.start(trunk, undefined, { traceparent: PARENT, tracestate: "a=1" });
  await world.output(run);
  await world.until(async () => (await claw.list({ status: "completed" })).length === 5);
  const all = await Promise.all((await claw.list()).map(({ id }) => record(claw, id)));
  const spans = all.flatMap((one) => traceSpans(one));
  assert.deepEqual(new Set(spans.map(({ traceId }) => traceId)), new Set([TRACE]));
  const root = spans.find(({ kind, name }) => kind === "run" && name === "trunk");
  assert.equal(root?.parentId, "00f067aa0ba902b7");
  const ids = new Set(spans.map(({ spanId }) => spanId));
  for (const { kind, name, parentId } of spans) {
    assert.ok(name === "trunk" || ids.has(parentId), `${kind} ${name} hangs in the tree`);
  }
  assert.equal(parents.length, 4);
  for (const one of parents) {
    const [, traceId, spanId = "", flags] = one.split(" ")[0]?.split("-") ?? [];
    assert.deepEqual([traceId, ids.has(spanId), flags], [TRACE, true, "01"], one);
  }
  assert.deepEqual(
    parents.filter((one) => one.includes(" ")).map((one) => one.split(" ")[1]),
    ["a=1", "a=1"],
  );
});

test("without one the trace begins with the first run, over restarts and generations of children", async (t) => {
  const world = openPlace(t);
  const first = await world.open(workflows);
  const run = await first.start(trunk, undefined);
  await world.until(async () => (await first.find(run.id))?.status === "waiting");
  await first.stop();
  const claw = await world.open(workflows);
  await world.output(claw.run(run.id));
  await world.until(async () => (await claw.list({ status: "completed" })).length === 5);
  const all = await Promise.all((await claw.list()).map(({ id }) => record(claw, id)));
  const traces = new Set(all.flatMap((one) => traceSpans(one)).map(({ traceId }) => traceId));
  assert.deepEqual(traces, new Set([traceIdOf(run.id)]));
});

test("a traceparent that is malformed is ignored", async (t) => {
  const world = openPlace(t);
  const claw = await world.open(workflows);
  for (const traceparent of ["nonsense", `${PARENT}-x`, ""]) {
    const run = await claw.start(leaf, undefined, { traceparent, tracestate: "a=1" });
    await world.output(run);
    const [span] = traceSpans(await record(claw, run.id));
    assert.deepEqual([span?.traceId, span?.parentId], [traceIdOf(run.id), ""]);
  }
  const event = { type: "moved", traceparent: PARENT };
  const { started } = await claw.publish(event);
  const [id = ""] = started;
  await world.output(claw.run(id));
  assert.equal(traceSpans(await record(claw, id))[0]?.parentId, "00f067aa0ba902b7");
});

test("a span without attributes costs no entry; with them it costs one, and a replay is the same", async (t) => {
  const world = openPlace(t);
  const flow = workflow("flow", async (ctx) => {
    await ctx.span("bare", (inner) => inner.run("a", () => 1));
    await ctx.span("noted", { n: 1 }, (inner) => inner.run("b", () => 2));
    await ctx.receive("on");
  });
  const first = await world.open([flow]);
  const { id } = await first.start(flow, undefined);
  await world.parked(first, id);
  await first.stop();
  const claw = await world.open([flow]);
  await claw.signal(id, "on");
  await world.output(claw.run(id));
  assert.deepEqual(
    (await record(claw, id)).journal.map(({ call }) => call),
    ["bare/a", "noted/span:", "noted/b", "signal:on"],
  );
  const bad = workflow("bad", (ctx) => ctx.span("x", { a: {} as never }, () => 1));
  const other = await world.open([bad], { namespace: "other", store: memoryStore() });
  const end = await world.ended(await other.start(bad, undefined));
  assert.equal(end.status === "completed" ? "" : end.error.code, "CLAW-1005");
});

test("a run that is open or failed says so, and OTLP has ids, times and states of its spans", async (t) => {
  const world = openPlace(t);
  const fails = workflow("fails", async (ctx) => {
    await ctx.run("bad", () => Promise.reject(new Error("no")), { retry: { attempts: 1 } });
  });
  const waits = workflow("waits", async (ctx) => {
    await ctx.child(hangs, undefined);
  });
  const hangs = workflow("hangs", (ctx) => ctx.receive("never"));
  const claw = await world.open([fails, waits, hangs]);
  const failed = await claw.start(fails, undefined);
  await world.ended(failed);
  const open = await claw.start(waits, undefined);
  await world.parked(claw, open.id);
  const [bad, good] = [await record(claw, failed.id), await record(claw, open.id)].map(traceSpans);
  assert.deepEqual(treeOf(bad ?? []), ["fails error", " bad error"]);
  assert.deepEqual(treeOf(good ?? []), ["waits open", " child:hangs open"]);
  const { resourceSpans } = otlpOf([...(bad ?? []), ...(good ?? [])], 1_700_000_009_000);
  const [run, call, , child] = resourceSpans[0]?.scopeSpans[0]?.spans ?? [];
  assert.deepEqual(run?.status, { code: 2, message: "CLAW-2001: no" });
  assert.equal(run?.spanId, spanIdOf(failed.id, "", 0));
  assert.equal(call?.parentSpanId, run?.spanId);
  assert.match(call?.startTimeUnixNano ?? "", /^17\d{11}000000$/);
  assert.equal(child?.endTimeUnixNano, "1700000009000000000");
  assert.deepEqual(child?.attributes.at(-1), { key: "claw.open", value: { boolValue: true } });
  assert.equal(child?.kind, 3);
});
