import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodePayload, encodePayload, isClawError, utf8Bytes } from "./index.ts";

function pathOf(value: unknown): string {
  try {
    encodePayload(value);
  } catch (error) {
    if (isClawError(error, "CLAW-1005")) return String(error.details["path"]);
    throw error;
  }
  return "stored";
}

test("any JSON value is the same after it was stored and read", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const plain: unknown = JSON.parse(JSON.stringify(value));
      fc.pre(!/\\u0000|\\ud[89a-f]/.test(JSON.stringify(value)));
      assert.deepEqual(decodePayload(encodePayload(value)), plain);
    }),
  );
});

test("undefined is a value of its own, at the top and as a dropped field", () => {
  assert.equal(encodePayload(undefined), "");
  assert.equal(decodePayload(""), undefined);
  assert.equal(encodePayload({ a: undefined, b: 1 }), '{"b":1}');
  assert.equal(encodePayload([undefined]), "[null]");
});

test("a field called __proto__ is data like any other", () => {
  const value: unknown = JSON.parse('{"__proto__":{"admin":true},"constructor":1}');
  const read = decodePayload(encodePayload(value)) as Record<string, unknown>;
  assert.ok(Object.hasOwn(read, "__proto__"));
  assert.equal(Object.getPrototypeOf(read), Object.prototype);
  assert.equal((read as { admin?: unknown }).admin, undefined);
  assert.equal(encodePayload(read), encodePayload(value));
});

test("what JSON cannot hold is refused and its path is named", () => {
  const cycle: Record<string, unknown> = { list: [] };
  (cycle["list"] as unknown[]).push({ back: cycle });
  const cases: [unknown, string][] = [
    [() => 1, "$"],
    [{ a: [{ f: () => 1 }] }, "$.a[0].f"],
    [1n, "$"],
    [{ a: 1n }, "$.a"],
    [Object(1n), "$"],
    [Symbol("s"), "$"],
    [{ s: Symbol("s") }, "$.s"],
    [Number.NaN, "$"],
    [[1, Number.NEGATIVE_INFINITY], "$[1]"],
    [{ n: Object(Number.NaN) as unknown }, "$.n"],
    [cycle, "$.list[0].back"],
    [{ m: new Map() }, "$.m"],
    [{ m: new Set() }, "$.m"],
    [{ m: new WeakMap() }, "$.m"],
    [{ p: Promise.resolve() }, "$.p"],
    [{ e: new Error("x") }, "$.e"],
    [{ r: /x/ }, "$.r"],
    [{ b: new ArrayBuffer(1) }, "$.b"],
    ["a\0b", "$"],
    [{ a: "\0" }, "$.a"],
    [{ a: ["\ud800"] }, "$.a[0]"],
    [Object("\0"), "$"],
    [{ "a\0": 1 }, "$.(a name)"],
    [{ x: { "\udc00": 1 } }, "$.x.(a name)"],
    [{ toJSON: () => ({ f: () => 1 }) }, "$.f"],
    [{ d: { toJSON: () => 1n } }, "$.d"],
  ];
  for (const [value, path] of cases) assert.equal(pathOf(value), path);
});

test("a value whose own code throws while it is read is refused with its words", () => {
  const getter = {
    get a(): never {
      throw new Error("not now");
    },
  };
  assert.throws(() => encodePayload(getter), { code: "CLAW-1005", message: /not now/ });
  const proxy = new Proxy({}, { ownKeys: () => assert.fail("no keys") });
  assert.throws(() => encodePayload({ proxy }), { code: "CLAW-1005" });
});

test("an object that toJSON gives itself for is stored as JSON.stringify would", () => {
  class Own {
    a = 1;
    toJSON(): this {
      return this;
    }
  }
  assert.equal(encodePayload(new Own()), '{"a":1}');
  assert.equal(encodePayload([new Own()]), '[{"a":1}]');
});

test("dates, buffers and boxed values become what JSON makes of them", () => {
  const when = new Date(0);
  assert.equal(encodePayload({ when }), '{"when":"1970-01-01T00:00:00.000Z"}');
  assert.equal(encodePayload(new Date(Number.NaN)), "null");
  assert.equal(encodePayload(Object("text")), '"text"');
  assert.equal(encodePayload({ n: Object(1) as unknown }), '{"n":1}');
  assert.equal(encodePayload(Buffer.from("a")), '{"type":"Buffer","data":[97]}');
});

test("escaped characters that are valid text are stored as they are", () => {
  for (const text of ["\u0001", "\u001f\u001e", "\\u0000", "\\ud800", "\u2028", "😀", "\ufffd"]) {
    assert.equal(decodePayload(encodePayload(text)), text);
    assert.deepEqual(decodePayload(encodePayload({ [text]: text })), { [text]: text });
  }
});

test("nesting over 200 is refused, at 200 it is stored", () => {
  const nested = (depth: number): unknown => {
    let value: unknown = 1;
    for (let at = 0; at < depth; at++) value = [value];
    return value;
  };
  assert.equal(pathOf(nested(200)), "stored");
  assert.match(pathOf(nested(201)), /^\$(\[0\]){200}$/);
  assert.match(pathOf(nested(100_000)), /^\$(\[0\]){200}$/);
});

test("the same object twice is no cycle", () => {
  const shared = { a: 1 };
  assert.equal(encodePayload([shared, shared, { shared }]), '[{"a":1},{"a":1},{"shared":{"a":1}}]');
});

test("a payload is refused exactly when its UTF-8 bytes are over the limit", () => {
  const bytes = (text: string): number => Buffer.byteLength(JSON.stringify(text));
  for (const text of ["aaaa", "éé", "€€", "😀😀", "a€😀é", '"""', "\n"]) {
    const size = bytes(text);
    assert.equal(encodePayload(text, size), JSON.stringify(text));
    assert.throws(() => encodePayload(text, size - 1), {
      code: "CLAW-1006",
      message: new RegExp(`has ${size} bytes of ${size - 1}\\..*raise .payloadBytesMax`),
    });
  }
});

test("the bytes of any well-formed text are counted as UTF-8 has them", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      assert.equal(utf8Bytes(text), Buffer.byteLength(text));
    }),
  );
});

test("minus zero becomes zero, as it is after reading", () => {
  assert.equal(encodePayload(-0), "0");
  assert.equal(encodePayload([-0]), "[0]");
});

test("short texts are decoded as JSON.parse would, and refused as it would", () => {
  const text = fc.string({
    unit: fc.constantFrom(..."0 1 2 3 4 5 6 7 8 9 - . e [ ] t".split(" "), " "),
    maxLength: 11,
  });
  fc.assert(
    fc.property(text, (payload) => {
      fc.pre(payload !== "");
      let expected: unknown;
      try {
        expected = JSON.parse(payload);
      } catch {
        assert.throws(() => decodePayload(payload), SyntaxError);
        return;
      }
      assert.deepEqual(decodePayload(payload), expected);
    }),
    { numRuns: 2_000 },
  );
});
