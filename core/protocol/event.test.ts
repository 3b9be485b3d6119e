import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  checkMatch,
  decodePayload,
  encodeEventNote,
  eventKey,
  eventNumberOf,
  type EventNote,
  type Match,
  matchKey,
  shapeOf,
  valueAt,
} from "./index.ts";

const scalar = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 300 }),
  fc.constantFrom("1", "true", "null", "", "\u001f", '","'),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.constant(null),
);
const fieldName = fc.constantFrom("a", "b", "order", "__proto__", "constructor", "length");

function agree(match: Match, data: unknown): boolean {
  return Object.entries(match).every(([path, value]) => {
    const found = valueAt(data, path);
    return found === value || (found === 0 && value === 0);
  });
}

test("the key of a match and of an event are equal exactly when the values agree", () => {
  const dataOf = fc.dictionary(fieldName, scalar, { minKeys: 1, maxKeys: 4 });
  fc.assert(
    fc.property(dataOf, dataOf, fc.nat(4), (data, other, kept) => {
      // A part of the match is of this event, the rest of another one.
      const names = Object.keys(data);
      const match: Record<string, string | number | boolean | null> = { __proto__: null };
      names.forEach((name, at) => {
        const from = at < kept || !Object.hasOwn(other, name) ? data : other;
        match[name] = from[name] ?? null;
      });
      checkMatch(match);
      const mine = matchKey("ns", "type", match);
      assert.equal(eventKey("ns", "type", shapeOf(match), data) === mine, agree(match, data));
    }),
    { numRuns: 2_000 },
  );
});

test("values of different types never agree", () => {
  const values = [1, "1", true, "true", null, "null", "", 0, false];
  for (const value of values) {
    for (const other of values) {
      const same = matchKey("n", "t", { a: value }) === eventKey("n", "t", "a", { a: other });
      assert.equal(same, value === other, JSON.stringify([value, other]));
    }
  }
});

test("the order in which a match names its paths does not matter", () => {
  const one = matchKey("n", "t", { a: 1, b: 2 });
  assert.equal(matchKey("n", "t", { b: 2, a: 1 }), one);
  assert.notEqual(matchKey("n", "t", { a: 2, b: 1 }), one);
  assert.equal(eventKey("n", "t", shapeOf({ b: 2, a: 1 }), { b: 2, a: 1, c: 3 }), one);
});

test("a key belongs to one namespace, type and set of paths", () => {
  const keys = [
    matchKey("n", "t", {}),
    matchKey("n", "u", {}),
    matchKey("m", "t", {}),
    matchKey("n", "t", { a: null }),
    matchKey("n", "t", { b: null }),
    matchKey("n", "t", { "a.b": null }),
    matchKey("n", "t", { a: null, b: null }),
  ];
  assert.equal(new Set(keys).size, keys.length);
});

test("a long key is shortened and still tells values apart", () => {
  const long = "x".repeat(100_000);
  const key = matchKey("n", "t", { a: `${long}1` });
  assert.ok(key.length <= 240);
  assert.equal(eventKey("n", "t", "a", { a: `${long}1` }), key);
  assert.notEqual(eventKey("n", "t", "a", { a: `${long}2` }), key);
});

test("a path is followed through objects and lists, by own fields only", () => {
  const data: unknown = JSON.parse('{"a":{"b":[{"c":1}]},"n":null,"__proto__":{"x":2}}');
  assert.equal(valueAt(data, "a.b.0.c"), 1);
  assert.equal(valueAt(data, "n"), null);
  assert.equal(valueAt(data, "__proto__.x"), 2);
  for (const path of ["a.x", "n.x", "constructor", "toString", "a.b.length.x", "", "a..b"]) {
    assert.equal(valueAt(data, path), undefined, path);
  }
  assert.equal(valueAt("text", "length"), undefined);
  assert.equal(valueAt(null, "a"), undefined);
});

test("an event whose path leads to an object or nowhere has no key", () => {
  for (const data of [{}, { a: {} }, { a: [] }, { a: { b: 1 } }, null, undefined, "a", 1]) {
    assert.equal(eventKey("n", "t", "a", data), null);
  }
});

test("a match is refused unless paths and values are scalars that can be stored", () => {
  checkMatch({ a: 1, "b.c": "x", d: null, e: false });
  const wrong: unknown[] = [
    { a: undefined },
    { a: Number.NaN },
    { a: Number.POSITIVE_INFINITY },
    { a: {} },
    { a: [] },
    { a: 1n },
    { a: () => 1 },
    { a: Symbol("s") },
    { "": 1 },
    { "a\u001fb": 1 },
    { "\ud800": 1 },
    { a: "\ud800" },
    { a: "\0" },
    null,
    "text",
    5,
    [1],
  ];
  for (const match of wrong) {
    assert.throws(() => checkMatch(match as Match), { code: "CLAW-1001" });
  }
});

test("a note of an event reads back as number and event, whatever its data", () => {
  fc.assert(
    fc.property(fc.nat(), fc.option(fc.jsonValue(), { nil: undefined }), (number, value) => {
      const plain: unknown = value === undefined ? undefined : JSON.parse(JSON.stringify(value));
      const data = plain === undefined ? "" : JSON.stringify(plain);
      const event = { id: "1", source: "/s", type: "t", time: 5, data };
      const text = encodeEventNote(number, event);
      assert.equal(eventNumberOf(text), number);
      const note = decodePayload(text) as EventNote;
      assert.equal(note.number, number);
      assert.equal(note.event.id, "1");
      assert.deepEqual(note.event.data, plain);
    }),
  );
});
