import assert from "node:assert/strict";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { sqliteReader, sqliteStore } from "@claw/store-sqlite";
import { provenKills } from "./kill-nine.ts";
import { type KillNineFindings, KillNineJudge } from "./kill-nine-judge.ts";
import { ownFolder } from "./own-folder.ts";

const KILLS = 20;

test("20 kills with SIGKILL at random moments lose nothing and repeat no recorded step", async (t) => {
  const folder = ownFolder(t);
  const proof = await provenKills({ kills: KILLS, seed: 20, folder });
  t.diagnostic(JSON.stringify(proof));
  assert.deepEqual(proof.problems, []);
  const { lost, repeated, doubled } = proof;
  assert.deepEqual({ lost, repeated, doubled }, { lost: 0, repeated: 0, doubled: 0 });
  // A proof in which little happened would prove little.
  assert.ok(
    proof.requests > KILLS && proof.acknowledgements > proof.requests,
    "too little was done",
  );
  assert.ok(proof.again > 0, "no kill fell into a body");
});

test("the judge notices an acknowledged start that the store does not hold", (t) => {
  assert.equal(judged(t, ["I k0", "A k0 run_lost"]).lost > 0, true);
});

test("the judge notices a body that is entered although a later one stood on its result", (t) => {
  const lines = ["S run_1/a 1 k0 -", "S run_1/b 1 k0 a", "S run_1/a 1 k0 -"];
  assert.equal(judged(t, lines.slice(0, 2)).repeated, 0);
  assert.equal(judged(t, lines).repeated, 1);
});

test("the judge notices a body that is entered after its run's result was acknowledged", (t) => {
  assert.equal(judged(t, ["S run_1/a 1 k0 -", 'R run_1 "x"', "S run_1/a 1 k0 -"]).repeated, 1);
});

test("the judge notices an attempt that is entered after the next one", (t) => {
  assert.equal(judged(t, ["S run_1/a 1 k0 -", "S run_1/a 2 k0 -", "S run_1/a 1 k0 -"]).repeated, 1);
});

test("the judge counts a body entered again before its result was recorded as no fault", (t) => {
  const { again, repeated } = judged(t, ["S run_1/a 1 k0 -", "S run_1/a 1 k0 -"]);
  assert.deepEqual({ again, repeated }, { again: 1, repeated: 0 });
});

test("the judge notices a key that was answered with two runs", (t) => {
  assert.equal(judged(t, ["I k0", "A k0 run_1", "A k0 run_2"]).doubled, 1);
});

test("the judge notices a signal and an event that had no effect", (t) => {
  const { problems } = judged(t, ["G run_1 a", "P k4"]);
  assert.match(problems.join("\n"), /signal a was taken 0 times by run_1/);
  assert.match(problems.join("\n"), /event k4 started 0 runs/);
});

// What the judge says of a witness beside a store in which nothing ever happened.
function judged(t: TestContext, lines: readonly string[]): KillNineFindings {
  const store = path.join(ownFolder(t), "empty.db");
  const owner = sqliteStore({ path: store });
  void owner.open();
  void owner.close();
  const reader = sqliteReader({ path: store });
  t.after(() => reader.close());
  const judge = new KillNineJudge();
  judge.read(lines);
  return judge.conclude(reader);
}
