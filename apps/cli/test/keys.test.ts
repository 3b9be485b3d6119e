import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { openPlace, type Place } from "./claw.ts";

const FLOWS = `
import { workflow } from "@claw/sdk";

export const desk = workflow(
  "desk",
  { key: (room: string) => room, mailbox: { max: 1 }, initialState: [] as string[] },
  async (ctx) => {
    const word = (await ctx.receive("word")) as string;
    ctx.state.set([...ctx.state.get(), word]);
    return ctx.state.get();
  },
);
`;

async function openOwned(t: TestContext): Promise<{ place: Place; url: string }> {
  const place = openPlace(t);
  place.write("flows/desk.ts", FLOWS);
  const dev = place.going("dev", "flows", "--port", "0");
  const [, url = ""] = await dev.said(/^ready (http:\/\/127\.0\.0\.1:\d+)/);
  return { place, url };
}

async function start(place: Place): Promise<string> {
  const started = await place.claw("run", "desk", "--input", '"a"');
  assert.equal(started.code, 0, started.stderr);
  return started.stdout.trim();
}

test("state shows a key and its queue, and show names the run that one waits behind", async (t) => {
  const { place } = await openOwned(t);
  const unknown = await place.claw("state", "desk", "a");
  assert.deepEqual([unknown.code, /CLAW-3041/.test(unknown.stderr)], [3, true], unknown.stderr);
  const first = await start(place);
  const second = await start(place);
  const full = await place.claw("run", "desk", "--input", '"a"');
  assert.deepEqual([full.code, /CLAW-2041/.test(full.stderr)], [10, true], full.stderr);
  const shown = await place.claw("show", second);
  assert.match(shown.stdout, /queued/);
  assert.match(shown.stdout, new RegExp(`waits +for its key, right behind ${first}`));
  const listed = await place.claw("list", "--status", "queued", "-o", "json");
  assert.deepEqual(
    (JSON.parse(listed.stdout) as { id: string }[]).map(({ id }) => id),
    [second],
  );
  await place.claw("signal", first, "word", "--value", '"one"');
  await place.untilEnded(first);
  const table = await place.claw("state", "desk", "a");
  assert.match(table.stdout, /state +\["one"\]/);
  assert.match(table.stdout, new RegExp(`run +${second}`));
  await place.claw("signal", second, "word", "--value", '"two"');
  assert.deepEqual((await place.untilEnded(second)).output, ["one", "two"]);
  const ended = await place.claw("state", "desk", "a", "-o", "json");
  assert.deepEqual(JSON.parse(ended.stdout), {
    workflow: "desk",
    key: "a",
    state: ["one", "two"],
    head: null,
    waiting: 0,
    next: [],
  });
  assert.equal((await place.claw("fork", first, "--from", "signal:word")).code, 5);
});
