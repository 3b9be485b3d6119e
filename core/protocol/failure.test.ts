import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  CancelledError,
  ClawError,
  describeError,
  encodePayload,
  ERRORS,
  isCancelled,
  isKernelError,
  limits,
  recordError,
  StepError,
} from "./index.ts";

test("a coded error says its code, what happened and what to do", () => {
  const error = new ClawError("CLAW-3001", "There is no run run_x");
  assert.equal(error.message, "CLAW-3001: There is no run run_x. Check the id with `claw list`.");
  assert.equal(error.detail, "There is no run run_x");
  assert.equal(error.status, 404);
  assert.equal(error.retryable, false);
  assert.equal(new ClawError("CLAW-4006").retryable, true);
});

test("every code has a title, a remedy that is a sentence, and an HTTP status", () => {
  for (const [code, spec] of Object.entries(ERRORS)) {
    assert.match(code, /^CLAW-[1-6]\d{3}$/);
    assert.ok(spec.title.length > 5 && !spec.title.endsWith("."), code);
    assert.match(spec.remedy, /^[A-Z].*\.$/s, code);
    assert.ok(spec.status >= 400 && spec.status < 600, code);
  }
});

test("an error is recorded with name, message, code, stack and details, and nothing else", () => {
  const error = Object.assign(new TypeError("no card"), {
    code: "CARD_DECLINED",
    details: { bank: "x" },
    config: { headers: { authorization: "Bearer secret" } },
    request: { password: "secret" },
    cause: new Error("secret"),
  });
  const record = recordError(error);
  const { stack, ...rest } = record;
  assert.deepEqual(rest, {
    name: "TypeError",
    message: "no card",
    code: "CARD_DECLINED",
    details: { bank: "x" },
  });
  assert.match(stack ?? "", /no card/);
  assert.doesNotMatch(JSON.stringify(record), /secret/);
});

test("a recorded error comes back with its name, message, code and details", () => {
  const error = Object.assign(new Error("no card"), {
    name: "CardError",
    code: "DECLINED",
    details: { n: 1 },
  });
  const back = new StepError(recordError(error), "pay#1", 3, "CLAW-2001");
  assert.ok(back instanceof Error);
  assert.deepEqual(
    [back.name, back.message, back.code, back.call, back.attempts, back.details],
    ["CardError", "no card", "DECLINED", "pay#1", 3, { n: 1 }],
  );
  assert.equal(back.stack, error.stack);
  assert.equal(new StepError(recordError(new Error("x")), "a", 1, "CLAW-2001").code, "CLAW-2001");
});

test("a coded error is recorded without its remedy, which the code already names", () => {
  const record = recordError(new ClawError("CLAW-2009", "no stock", { details: { item: 5 } }));
  assert.equal(record.message, "no stock");
  assert.equal(record.code, "CLAW-2009");
  assert.deepEqual(record.details, { item: 5 });
  assert.equal(describeError(record), "CLAW-2009: no stock");
  assert.equal(describeError(recordError(new RangeError("x"))), "RangeError: x");
});

test("long messages, stacks, names and codes are cut, without halves of characters", () => {
  const error = new Error(`${"x".repeat(limits.ERROR_MESSAGE_CHARS_MAX - 2)}😀${"y".repeat(50)}`);
  error.name = "N".repeat(100_000);
  Object.assign(error, { code: "C".repeat(100_000) });
  const record = recordError(error);
  assert.ok(record.message.length <= limits.ERROR_MESSAGE_CHARS_MAX);
  assert.ok((record.stack?.length ?? 0) <= limits.ERROR_STACK_CHARS_MAX);
  assert.ok(record.name.length <= limits.NAME_CHARS_MAX);
  assert.ok((record.code?.length ?? 0) <= limits.NAME_CHARS_MAX);
  for (const text of [record.message, record.name, record.code]) assert.ok(text?.isWellFormed());
});

test("whatever is thrown becomes a record that can be stored, and recording never throws", () => {
  const hostile = new Error("x");
  Object.defineProperty(hostile, "message", {
    get() {
      throw new Error("no");
    },
  });
  const thrown: unknown[] = [
    "text",
    "a\0b\ud800",
    undefined,
    null,
    5,
    1n,
    Symbol("s"),
    () => 1,
    { a: 1 },
    Object.create(null),
    new Map(),
    hostile,
    Object.assign(new Error("x"), { message: 5 }),
    Object.assign(new Error("x"), { message: undefined }),
    Object.assign(new Error("x"), { message: { deep: true } }),
    Object.assign(new Error("x"), { name: Symbol("s") }),
    Object.assign(new Error("x"), { name: Object.create(null) as unknown }),
    Object.assign(new Error("x"), { stack: 5, code: 42, details: "text" }),
    Object.assign(new Error("x\0\ud800"), { code: "\0", details: { a: "\0" } }),
    Object.assign(new Error("x"), { details: { f: 1n } }),
    Object.assign(new Error("x"), { details: { toJSON: () => undefined } }),
    new Proxy(new Error("x"), {
      get() {
        throw new Error("no");
      },
    }),
  ];
  for (const one of thrown) {
    const record = recordError(one);
    assert.equal(typeof record.message, "string");
    assert.equal(typeof record.name, "string");
    encodePayload(record);
  }
});

test("any thrown value is recorded as something that can be stored", () => {
  fc.assert(
    fc.property(fc.anything({ withBigInt: true, withNullPrototype: true }), (value) => {
      encodePayload(recordError(value));
      encodePayload(recordError(Object.assign(new Error("x"), { details: value })));
    }),
  );
});

test("a cancellation is known as one, live and recorded, and other errors are not", () => {
  const live = new CancelledError("not needed");
  assert.match(live.message, /CLAW-2003: The run was cancelled: not needed\./);
  assert.ok(isCancelled(live));
  assert.ok(isCancelled(new StepError(recordError(live), "a", 1, "CLAW-2001")));
  assert.equal(isCancelled(new ClawError("CLAW-2010")), false);
  assert.equal(isCancelled({ code: "CLAW-2003" }), false);
  assert.equal(isKernelError(new Error("x")), false);
  assert.ok(isKernelError(new StepError(recordError("x"), "a", 1, "CLAW-2001")));
});
