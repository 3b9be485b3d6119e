import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type Ended, openPlace, type Place } from "../../apps/cli/test/claw.ts";
import { startPostgres } from "../servers/postgres-server.ts";

// The command on several machines, each a folder of its own, that share one schema.

const server = await startPostgres(15);
after(() => server.stop());

const FLOW = `
import { workflow } from "@claw/sdk";
export const ask = workflow("ask", async (ctx) => {
  const first = await ctx.run("first", () => process.pid);
  const said = await ctx.receive("go");
  return [first, said, await ctx.run("last", () => process.pid)];
});
`;

interface Line {
  readonly name: string;
  readonly takes: boolean;
  readonly isThis: boolean;
  readonly leaseLeftMs: number;
}

function ok(ended: Ended): string {
  assert.equal(ended.code, 0, ended.stderr);
  return ended.stdout.trim();
}

async function nodesSeenBy(place: Place): Promise<Line[]> {
  return JSON.parse(ok(await place.claw("nodes", "-o", "json"))) as Line[];
}

test("two processes share a schema: each serves all runs, and one goes on when the other is killed", async (t) => {
  const env = { CLAW_STORE: `${server.url}?schema=two_nodes` };
  const [here, there, beside] = [openPlace(t, env), openPlace(t, env), openPlace(t, env)];
  here.write("flow.ts", FLOW);
  there.write("flow.ts", FLOW);
  const first = here.going("start", "flow.ts", "--port", "0");
  await first.said(/^ready /);
  const second = there.going("start", "flow.ts", "--port", "0");
  await second.said(/^ready /);
  const [one, two] = await nodesSeenBy(there);
  assert.deepEqual([one?.isThis, two?.isThis], [false, true]);
  assert.ok(one?.takes === true && one.leaseLeftMs > 0);
  assert.match(ok(await beside.claw("nodes")), /^NODE .*RUNS.*LEASE.*\n.* yes .*\n.* yes /);
  const run = ok(await here.claw("run", "ask"));
  const other = ok(await here.claw("run", "ask"));
  ok(await there.claw("signal", run, "go", "--value", "1"));
  const ended = await here.untilEnded(run);
  assert.equal((ended.output as unknown[])[1], 1);
  first.kill("SIGKILL");
  await first.ended();
  ok(await there.claw("signal", other, "go", "--value", "2"));
  const [begun, said] = (await there.untilEnded(other)).output as unknown[];
  assert.deepEqual([typeof begun, said], ["number", 2]);
  // The lease of the killed one is over sooner or later, and then it is forgotten.
  while ((await nodesSeenBy(beside)).length > 1);
  const [left] = await nodesSeenBy(there);
  assert.equal(left?.isThis, true);
  second.kill("SIGTERM");
  await second.ended();
  assert.equal((await beside.claw("nodes")).stderr.trim(), "no process works on this store");
});

test("a process with a store of its own is its only node", async (t) => {
  const place = openPlace(t);
  place.write("flow.ts", FLOW);
  assert.match((await place.claw("nodes")).stderr, /no process works on this store/);
  const node = place.going("start", "flow.ts", "--port", "0");
  await node.said(/^ready /);
  assert.match(ok(await place.claw("nodes")), /\* .* own store +yes +1$/);
});
