import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  derivedRunId,
  hash128,
  isRunId,
  newRunId,
  PARTITION_COUNT,
  partitionOf,
  partitionOfKey,
  startTimeOf,
} from "./index.ts";

const word = fc.integer({ min: 0, max: 0xffffffff });
const words = fc.tuple(word, word, word);
const timeMs = fc.integer({ min: 0, max: 2 ** 49 });
const partition = fc.integer({ min: 0, max: PARTITION_COUNT - 1 });

test("an id gives back the time and the partition that it was made of", () => {
  fc.assert(
    fc.property(timeMs, partition, words, (time, place, random) => {
      const id = newRunId(time, place, random);
      assert.equal(id.length, 30);
      assert.ok(isRunId(id));
      assert.equal(startTimeOf(id), time);
      assert.equal(partitionOf(id), place);
    }),
  );
});

test("ids sort by time, whatever their partition and randomness", () => {
  fc.assert(
    fc.property(timeMs, timeMs, partition, partition, words, words, (a, b, p, q, x, y) => {
      fc.pre(a !== b);
      assert.equal(newRunId(a, p, x) < newRunId(b, q, y), a < b);
    }),
  );
});

test("each of the 65 random bits of an id can be told apart", () => {
  const ids = new Set([newRunId(1, 1, [0, 0, 0])]);
  for (let at = 0; at < 65; at++) {
    const bits: [number, number, number] = [0, 0, 0];
    // 30 bits of each of the first two words and 5 of the third stand in an id.
    const [place, bit] = at < 30 ? [0, at] : at < 60 ? [1, at - 30] : [2, at - 60];
    bits[place as 0 | 1 | 2] = (1 << bit) >>> 0;
    ids.add(newRunId(1, 1, bits));
  }
  assert.equal(ids.size, 66);
});

test("a derived id is the same for the same parent, call and time, and another for any other", () => {
  const parent = newRunId(5, 7, [1, 2, 3]);
  const one = derivedRunId(parent, "child:x", 99);
  assert.equal(derivedRunId(parent, "child:x", 99), one);
  assert.equal(startTimeOf(one), 99);
  assert.ok(isRunId(one));
  const other = newRunId(5, 7, [1, 2, 4]);
  const ids = new Set([one]);
  for (let at = 0; at < 10_000; at++) ids.add(derivedRunId(parent, `child:x#${at}`, 99));
  ids.add(derivedRunId(other, "child:x", 99));
  assert.equal(ids.size, 10_002);
});

test("a key always has the same partition, and keys spread over the partitions", () => {
  assert.equal(partitionOfKey("order-1"), partitionOfKey("order-1"));
  const met = new Set<number>();
  for (let at = 0; at < 20_000; at++) met.add(partitionOfKey(`order-${at}`));
  assert.ok(met.size > PARTITION_COUNT * 0.95, `${met.size} partitions`);
  for (const place of met) assert.ok(place >= 0 && place < PARTITION_COUNT);
});

test("text that is no run id is told from one", () => {
  const id = newRunId(1, 1, [1, 2, 3]);
  for (const text of [
    "",
    "run_",
    id.slice(0, -1),
    `${id}0`,
    id.toUpperCase(),
    `x${id}`,
    `${id}\n`,
  ]) {
    assert.equal(isRunId(text), false, JSON.stringify(text));
  }
  assert.equal(isRunId(`${id.slice(0, -1)}u`), false);
});

test("the hash tells near texts apart in every one of its words", () => {
  const seen = [new Set<number>(), new Set<number>(), new Set<number>(), new Set<number>()];
  const count = 20_000;
  for (let at = 0; at < count; at++) hash128(`call#${at}`).forEach((w, i) => seen[i]?.add(w));
  // Among 20,000 values of 32 bits, about 0.05 pairs collide by chance.
  for (const set of seen) assert.ok(set.size > count - 5, `${set.size}`);
});
