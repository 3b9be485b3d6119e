import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { checkName, encodeKey } from "./index.ts";

const refused = { code: "CLAW-1008" };

test("a name of 1 to 200 characters of any script is taken as it is", () => {
  for (const name of [
    "a",
    "a".repeat(200),
    "charge card",
    "größe",
    "支払い",
    "😀",
    "a.b:c-d_e*",
    "__proto__",
  ]) {
    assert.equal(checkName(name, "The step"), name);
  }
});

test("whatever would break the identity of a call is refused as a name, with what it was for", () => {
  const wrong = [
    "",
    "a".repeat(201),
    "a/b",
    "a#1",
    "a[0]",
    "]",
    "a\nb",
    "\0",
    "\x7f",
    "\u0085",
    "\ud800",
  ];
  for (const name of [...wrong, undefined, null, 1, 1n, {}, [], Symbol("s")]) {
    assert.throws(() => checkName(name as never, "The step"), refused);
    assert.throws(() => checkName(name as never, "The step"), /The step .*Use 1 to 200 characters/);
  }
});

test("a key is any text of 1 to 200 characters, or a number", () => {
  assert.equal(encodeKey("order-7"), "order-7");
  assert.equal(encodeKey(7), "7");
  assert.equal(encodeKey("a/b#c[d]%e\n"), "a%2fb%23c%5bd%5d%25e%0a");
  for (const key of ["", "k".repeat(201), "\udc00"]) assert.throws(() => encodeKey(key), refused);
});

test("a key that is neither text nor a finite number is refused", () => {
  for (const key of [
    undefined,
    null,
    {},
    [],
    true,
    1n,
    Symbol("s"),
    Number.NaN,
    Number.POSITIVE_INFINITY,
  ]) {
    assert.throws(() => encodeKey(key as never), refused);
  }
});

test("different keys are never written alike, and nothing of them separates", () => {
  const text = fc.string({ unit: "binary", minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(text, text, (a, b) => {
      fc.pre(a.isWellFormed() && b.isWellFormed());
      assert.equal(encodeKey(a) === encodeKey(b), a === b);
      assert.doesNotMatch(encodeKey(a), /[\p{Cc}/#[\]]/u);
    }),
    { numRuns: 1_000 },
  );
});
