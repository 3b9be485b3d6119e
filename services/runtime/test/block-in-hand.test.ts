import assert from "node:assert/strict";
import { test } from "node:test";
import { BlockInHand } from "../src/tasks/block-in-hand.ts";

const PLACE = { namespace: "default", queue: "q", rank: 0, name: "t" } as const;

test("what became of a task is in no later marks when it was refused", () => {
  const block = new BlockInHand({
    ...PLACE,
    id: 5,
    count: 4,
    addedAt: 1,
    inputs: "1\n2\n3\n4",
    done: "",
  });
  block.settle(5);
  block.written(block.marks());
  block.settle(6);
  const sent = block.marks();
  block.settle(7);
  block.refused(sent);
  assert.equal(block.marks(), "1010");
  block.settle(8);
  assert.deepEqual([block.marks(), block.left], ["1011", 1]);
});
