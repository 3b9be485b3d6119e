import assert from "node:assert/strict";
import { test } from "node:test";
import { type Entry, ENTRY_KINDS, type EntryKind } from "@claw/core/protocol";
import { type Facts, predict } from "./model.ts";
import type { Block, Program } from "./statement.ts";

const GO = { op: "receive", signal: "go", timeoutMs: 0 } as const;
const MOVED = { op: "waitFor", type: "moved", match: null, timeoutMs: 0 } as const;
const UPDATE = "/update#u1";

function program(body: Block): Program {
  const handler = [MOVED, MOVED];
  const rest = { index: 0, version: 1, trigger: null, foreign: "no", keyed: null } as const;
  return { name: "w", body, handler, ...rest };
}

/** The facts of a journal with these entries, a millisecond apart. */
function journal(
  ...entries: readonly (readonly [EntryKind, call: string, data: unknown])[]
): Facts {
  const all = entries.map(([kind, call, data], at): Entry => {
    return {
      seq: at + 1,
      at: at + 1,
      kind,
      call,
      attempt: 1,
      print: "",
      data: JSON.stringify(data),
    };
  });
  return { run: "r", namespace: "default", startedAt: 0, entries: all, generation: 1, begins: 0 };
}

const GONE = [ENTRY_KINDS.signalReceived, "signal:go", 1] as const;
const TAKEN = [ENTRY_KINDS.updateTaken, UPDATE, { id: "u1", n: 1 }] as const;
const event = (call: string) =>
  [ENTRY_KINDS.eventReceived, `${UPDATE}/event:${call}`, { event: { data: 1 } }] as const;

test("an update whose turn comes after the end of the code asks for nothing", () => {
  const { calls, updates } = predict(program([GO]), [], journal(GONE, TAKEN, event("moved")));
  assert.deepEqual([...calls.keys()], ["signal:go"]);
  assert.deepEqual([...(updates ?? [])], [[UPDATE, null]]);
});

test("an update asks for nothing more when the code has ended", () => {
  const facts = journal(TAKEN, GONE, event("moved"), event("moved#1"));
  const { calls, updates } = predict(program([GO]), [], facts);
  assert.deepEqual([...calls.keys()], ["signal:go", `${UPDATE}/event:moved`]);
  assert.equal(calls.get(`${UPDATE}/event:moved`)?.delivered, false);
  assert.deepEqual([...(updates ?? [])], [[UPDATE, null]]);
});

test("an update asks for nothing more when the code goes on as its next generation", () => {
  const goesOn = { op: "continueAs", generations: 2 } as const;
  const facts = journal(GONE, TAKEN, event("moved"));
  const { calls, goesOnAt } = predict(program([GO, goesOn]), [], facts);
  assert.equal(goesOnAt, 1);
  assert.deepEqual([...calls.keys()], ["signal:go"]);
});

test("an update ends in the turn of what it waited for last", () => {
  const facts = journal(TAKEN, event("moved"), event("moved#1"), GONE);
  const { updates } = predict(program([GO]), [], facts);
  assert.deepEqual([...(updates ?? [])], [[UPDATE, { output: "[1,[1,1]]" }]]);
});
