import assert from "node:assert/strict";
import { test } from "node:test";
import type { StartRow } from "../protocol/index.ts";
import { extrasOf } from "./draft.ts";
import { draftOf, openRun } from "./run-state.ts";
import { dropWait } from "./subscriptions.ts";

const START: StartRow = {
  id: "run_00000000000000000000000001",
  namespace: "default",
  workflow: "w",
  version: 1,
  input: "",
  startedAt: 1,
  parentRun: "",
  parentCall: "",
  cause: "",
};

test("a subscription that was not sent can be taken back, once", () => {
  const run = openRun(START);
  assert.equal(dropWait(run, "event:x"), false);
  const wait = { call: "event:x", key: "k", type: "x", shape: "", since: 1, after: 0 };
  extrasOf(draftOf(run)).waits.push(wait, { ...wait, call: "event:y" });
  assert.equal(dropWait(run, "event:x"), true);
  assert.equal(dropWait(run, "event:x"), false);
  assert.deepEqual(
    run.draft?.extras?.waits.map(({ call }) => call),
    ["event:y"],
  );
});
