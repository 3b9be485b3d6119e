import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RETRY_DEFAULT, type RetryOptions, retryPolicy } from "./index.ts";
import { pauseMs } from "./retry.ts";

test("without options the default policy holds, and single fields override it", () => {
  assert.equal(retryPolicy(undefined), RETRY_DEFAULT);
  assert.deepEqual(retryPolicy({}), RETRY_DEFAULT);
  assert.deepEqual(retryPolicy({ attempts: 5, backoff: "fixed", initial: "1s" }), {
    ...RETRY_DEFAULT,
    attempts: 5,
    fixed: true,
    initialMs: 1_000,
  });
});

test("a field that makes no sense is refused and named", () => {
  const wrong: [unknown, string][] = [
    [{ attempts: 0 }, "attempts"],
    [{ attempts: 1.5 }, "attempts"],
    [{ attempts: 1_000_001 }, "attempts"],
    [{ attempts: "3" }, "attempts"],
    [{ factor: 0.5 }, "factor"],
    [{ factor: 101 }, "factor"],
    [{ factor: Number.NaN }, "factor"],
    [{ jitter: 1.1 }, "jitter"],
    [{ jitter: -0.1 }, "jitter"],
    [{ backoff: "linear" }, "backoff"],
    [{ notOn: "CARD_DECLINED" }, "notOn"],
    [{ notOn: [5] }, "notOn"],
    [null, "retry"],
    ["3", "retry"],
  ];
  for (const [options, field] of wrong) {
    assert.throws(() => retryPolicy(options as RetryOptions), {
      code: "CLAW-1001",
      message: new RegExp(field),
    });
  }
  assert.throws(() => retryPolicy({ initial: "soon" }), { code: "CLAW-1007" });
  assert.throws(() => retryPolicy({ max: -1 }), { code: "CLAW-1007" });
});

test("pauses double up to the longest, fixed ones stay the same", () => {
  const doubling = retryPolicy({ initial: 100, max: 1_000, jitter: 0 });
  assert.deepEqual(
    [1, 2, 3, 4, 5, 1_000_000].map((attempt) => pauseMs(doubling, attempt, "s")),
    [100, 200, 400, 800, 1_000, 1_000],
  );
  const fixed = retryPolicy({ backoff: "fixed", initial: 100, jitter: 0 });
  assert.deepEqual(
    [1, 2, 900].map((attempt) => pauseMs(fixed, attempt, "s")),
    [100, 100, 100],
  );
});

test("a pause is the same for the same attempt of a call, and within its bounds for every policy", () => {
  const options = fc.record({
    attempts: fc.integer({ min: 1, max: 1_000_000 }),
    backoff: fc.constantFrom("exponential" as const, "fixed" as const),
    initial: fc.nat(10_000),
    max: fc.nat(100_000),
    factor: fc.double({ min: 1, max: 100, noNaN: true }),
    jitter: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  fc.assert(
    fc.property(options, fc.integer({ min: 1, max: 1_000_000 }), fc.string(), (given, at, seed) => {
      const policy = retryPolicy(given);
      const pause = pauseMs(policy, at, seed);
      assert.ok(Number.isSafeInteger(pause) && pause >= 0 && pause <= policy.maxMs, `${pause}`);
      assert.equal(pauseMs(policy, at, seed), pause);
    }),
    {
      examples: [
        [
          { attempts: 1_000, backoff: "exponential", initial: 0, max: 1, factor: 100, jitter: 0.1 },
          900,
          "s",
        ],
      ],
    },
  );
});

test("jitter spreads the pauses of different calls", () => {
  const policy = retryPolicy({ initial: 10_000, jitter: 0.5 });
  const pauses = Array.from({ length: 200 }, (_, at) => pauseMs(policy, 1, `call-${at}`));
  assert.ok(new Set(pauses).size > 150);
  assert.ok(Math.min(...pauses) >= 5_000 && Math.max(...pauses) <= 10_000);
});
