import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { durationMs, limits } from "./index.ts";

const refused = { code: "CLAW-1007" };

test("a duration is read from milliseconds, units, fractions and sums of units", () => {
  assert.equal(durationMs(0), 0);
  assert.equal(durationMs(1_500), 1_500);
  assert.equal(durationMs("500ms"), 500);
  assert.equal(durationMs("30s"), 30_000);
  assert.equal(durationMs("5m"), 300_000);
  assert.equal(durationMs("1.5h"), 5_400_000);
  assert.equal(durationMs("1h30m"), 5_400_000);
  assert.equal(durationMs("2w1d"), 15 * 86_400_000);
});

test("a fraction of a millisecond is rounded to a whole one", () => {
  assert.equal(durationMs(0.4), 0);
  assert.equal(durationMs(1.5), 2);
  assert.equal(durationMs("0.0006s"), 1);
});

test("whatever is no duration is refused with a code and its own text", () => {
  const wrong = [
    "",
    "5",
    "abc",
    "-5s",
    "5 s",
    "5S",
    "1h-30m",
    "1e3s",
    ".5s",
    "5ss",
    "9".repeat(65),
    -1,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    limits.DURATION_MS_MAX + 1,
    "101w101d99999999h",
    null,
    undefined,
    true,
    {},
    [],
    1n,
    Symbol("s"),
  ];
  for (const one of wrong) assert.throws(() => durationMs(one as never), refused);
  assert.throws(() => durationMs(Number.POSITIVE_INFINITY), /Infinity is not a duration/);
  assert.throws(() => durationMs("5"), /"5" is not a duration.*Write a number with a unit/s);
});

test("the sum of the parts is the duration, whatever the parts are", () => {
  const part = fc.tuple(fc.nat(10_000), fc.constantFrom("ms", "s", "m"));
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 5 }), (parts) => {
      const whole = parts.reduce((sum, [n, unit]) => sum + durationMs(`${n}${unit}`), 0);
      assert.equal(durationMs(parts.map(([n, unit]) => `${n}${unit}`).join("")), whole);
    }),
  );
});
