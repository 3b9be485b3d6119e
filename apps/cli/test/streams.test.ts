import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { ChunkView, EventView } from "@claw/gateway/wire";
import { openPlace, type Place } from "./claw.ts";

const FLOWS = `
import { workflow } from "@claw/sdk";

export const talk = workflow("talk", async (ctx) => {
  await ctx.stream("log").write({ at: "begin" });
  await ctx.run("say", async (step) => {
    step.stream("answer").write("Hello ");
    step.stream("answer").write(step.attempt === 1 ? "wor" : "\\u001b[2Jworld");
    if (step.attempt === 1) throw new Error("lost the line");
  }, { retry: { initial: "10ms" } });
  const last = await ctx.receive("last");
  await ctx.stream("answer").write(last);
  await ctx.receive("end");
});
`;

async function openOwned(t: TestContext): Promise<{ place: Place; run: string }> {
  const place = openPlace(t);
  place.write("flows/talk.ts", FLOWS);
  await place.going("dev", "flows", "--port", "0").said(/^ready /);
  const run = (await place.claw("run", "talk")).stdout.trim();
  await place.claw("signal", run, "last", "--value", '" bye"');
  for (let look = 0; look < 100; look++) if ((await place.shown(run)).entries > 4) break;
  return { place, run };
}

function lines<T>(text: string): T[] {
  return text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as T);
}

test("stream prints what a run wrote, from a cursor, beside its owner and without one", async (t) => {
  const { place, run } = await openOwned(t);
  const answer = await place.claw("stream", "@last", "answer");
  assert.equal(answer.stdout, "Hello wor\nHello [2Jworld bye\n", answer.stderr);
  assert.match(answer.stderr, /say began again \(attempt 2\)/);
  const all = await place.claw("stream", run);
  assert.match(all.stdout, /^1 {2}log {2}\{"at":"begin"\}\n2 {2}answer {2}Hello \n/);
  const some = lines<ChunkView>(
    (await place.claw("stream", run, "--from", "3", "-o", "jsonl")).stdout,
  );
  assert.deepEqual(
    some.map(({ seq, attempt, first, value }) => [seq, attempt, first, value]),
    [
      [4, 2, 4, "Hello "],
      [5, 2, 4, "\u001b[2Jworld"],
      [6, 1, 6, " bye"],
    ],
  );
  const none = await place.claw("stream", run, "anser");
  assert.deepEqual([none.code, /CLAW-3052.*answer, log/.test(none.stderr)], [3, true], none.stderr);
  assert.equal((await place.claw("stream", run, "--from", "x")).code, 11);
  assert.equal((await place.claw("stream", run, "--from", "99")).code, 11);
  assert.equal((await place.claw("stream", "run_zzz")).code, 3);
});

test("stream --follow and watch go on as the run does, and end with it", async (t) => {
  const { place, run } = await openOwned(t);
  const stream = place.going("stream", run, "answer", "--follow", "-o", "jsonl");
  const watch = place.going("watch", run, "--from", "2");
  const unknown = place.going("stream", run, "later", "--follow");
  await place.claw("signal", run, "end");
  const chunks = lines<ChunkView>((await stream.ended()).stdout);
  assert.deepEqual(
    chunks.map(({ seq }) => seq),
    [2, 3, 4, 5, 6],
  );
  const watched = await watch.ended();
  assert.equal(watched.code, 0);
  assert.match(watched.stdout, /^ +3 +\+\S+ +stepCompleted +say \(attempt 2\)\n/);
  assert.match(watched.stdout, /signalReceived +signal:end$/m);
  assert.match(watched.stderr, /completed$/);
  assert.deepEqual(await unknown.ended(), { code: 0, stdout: "", stderr: "" });
  const past = await place.claw("watch", run, "--from", "2", "-o", "json");
  const events = JSON.parse(past.stdout) as EventView[];
  assert.equal(events[0]?.seq, 3);
  assert.equal((await place.claw("watch", run, "--from", "99")).code, 11);
});

test("what is followed says so when the owner goes away, and is read from the file afterwards", async (t) => {
  const place = openPlace(t);
  place.write("flows/talk.ts", FLOWS);
  const dev = place.going("dev", "flows", "--port", "0");
  await dev.said(/^ready /);
  const run = (await place.claw("run", "talk")).stdout.trim();
  const watch = place.going("watch", run, "-o", "jsonl", "--verbose");
  await watch.said(/^following/);
  for (let look = 0; look < 100; look++) if ((await place.shown(run)).entries > 2) break;
  dev.kill("SIGKILL");
  await dev.ended();
  const gone = await watch.ended();
  assert.equal(gone.code, 9, gone.stderr);
  assert.match(gone.stderr, /CLAW-5006/);
  assert.ok(lines<EventView>(gone.stdout).length >= 1);
  const alone = await place.claw("watch", run);
  assert.match(alone.stderr, /nothing more comes[^]*waiting|nothing more comes[^]*running/);
  const followed = await place.claw("stream", run, "answer", "--follow");
  assert.match(followed.stdout, /^Hello wor\n/);
  assert.match(followed.stderr, /nothing more comes/);
});
