import assert from "node:assert/strict";
import { test } from "node:test";
import { newRunId } from "./ids.ts";
import {
  inheritedTrace,
  spanIdOf,
  traceContextOf,
  traceIdOf,
  traceOfHeaders,
  traceparentOf,
} from "./trace-context.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";
const PARENT = `00-${TRACE}-${SPAN}-01`;

const id = (n: number): string => newRunId(1_700_000_000_000 + n, 1, [n, n, n]);

test("a traceparent is taken as it is, one of a later version as far as it is known", () => {
  assert.equal(traceOfHeaders(PARENT), PARENT);
  assert.equal(traceOfHeaders(` ${PARENT} `), PARENT);
  assert.equal(traceOfHeaders(`00-${TRACE}-${SPAN}-00`), `00-${TRACE}-${SPAN}-00`);
  assert.equal(traceOfHeaders(`cc-${TRACE}-${SPAN}-03-more`), PARENT);
});

test("what is malformed is ignored", () => {
  const bad = [
    "",
    "x",
    undefined,
    7,
    `ff-${TRACE}-${SPAN}-01`,
    `${PARENT}-more`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${"0".repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${"0".repeat(16)}-01`,
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE}-${SPAN}-0`,
    `00-${TRACE.slice(1)}-${SPAN}-01`,
    `${PARENT}\n`.repeat(2),
    `0-${TRACE}-${SPAN}-01`,
  ];
  for (const one of bad) assert.equal(traceOfHeaders(one, "a=1"), undefined, String(one));
});

test("a tracestate goes with it; one that is malformed or too long is dropped alone", () => {
  const state = (text: unknown): string | undefined => traceOfHeaders(PARENT, text)?.slice(56);
  assert.equal(
    state("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"),
    "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE",
  );
  assert.equal(state("a=1, ,b=2"), "a=1,b=2");
  assert.equal(state("fw529a3039@dt=FfAD a;b"), "fw529a3039@dt=FfAD a;b");
  const bad = ["A=1", "a", "a=", "a=b=c", "a=1\nb=2", `a=${"x".repeat(600)}`, "a=1,".repeat(40), 7];
  for (const one of bad) assert.equal(traceOfHeaders(PARENT, one), PARENT, String(one));
});

test("a run without one begins a trace, and what it starts is in that trace", () => {
  const [root, child, grandchild] = [id(1), id(2), id(3)];
  const first = { id: root, parentCall: "", cause: "" };
  assert.deepEqual(traceContextOf(first), {
    traceId: traceIdOf(root),
    parentId: "",
    flags: "01",
    state: "",
  });
  assert.equal(inheritedTrace(first, "child:a"), undefined, "it is derived");
  const second = { id: child, parentCall: "child:a", cause: root };
  assert.equal(traceContextOf(second).traceId, traceIdOf(root));
  assert.equal(traceContextOf(second).parentId, spanIdOf(root, "child:a", 1));
  const trace = inheritedTrace(second, "child:b");
  assert.equal(trace, `00-${traceIdOf(root)}-${spanIdOf(child, "child:b", 1)}-01`);
  const third = { id: grandchild, parentCall: "child:b", cause: child, trace: trace ?? "" };
  assert.equal(traceContextOf(third).traceId, traceIdOf(root));
  const event = { id: id(4), parentCall: "", cause: `event /claw/default/a ${root}/emit:x` };
  assert.equal(traceContextOf(event).traceId, traceIdOf(root));
  const foreign = { id: id(5), parentCall: "", cause: "event /shop evt-1" };
  assert.equal(traceContextOf(foreign).traceId, traceIdOf(id(5)));
});

test("what came with a start is handed on with its flags and state, and bodies get their own span", () => {
  const run = { id: id(1), parentCall: "", cause: "", trace: `00-${TRACE}-${SPAN}-00 a=1` };
  assert.deepEqual(traceContextOf(run), {
    traceId: TRACE,
    parentId: SPAN,
    flags: "00",
    state: "a=1",
  });
  assert.equal(inheritedTrace(run, "c"), `00-${TRACE}-${spanIdOf(run.id, "c", 1)}-00 a=1`);
  assert.equal(traceparentOf(run, "pay", 2), `00-${TRACE}-${spanIdOf(run.id, "pay", 2)}-00`);
  assert.notEqual(spanIdOf(run.id, "pay", 1), spanIdOf(run.id, "pay", 2));
});
