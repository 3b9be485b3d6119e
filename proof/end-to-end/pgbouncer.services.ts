import assert from "node:assert/strict";
import { after, test } from "node:test";
import { openRuntime } from "@claw/runtime";
import { workflow } from "@claw/sdk";
import { postgresReader, postgresStore } from "@claw/store-postgres";
import { freePort, startPostgres } from "../servers/postgres-server.ts";
import { startPooler } from "../servers/pgbouncer.ts";

const server = await startPostgres(18);
const pooler = await startPooler(server.url, await freePort());
after(async () => {
  await pooler.stop();
  await server.stop();
});

const steps = workflow("steps", async (ctx, count: number) => {
  let sum = 0;
  for (let n = 1; n <= count; n++) sum += await ctx.run("add", () => n);
  await ctx.sleep(20);
  return sum;
});

test("a pooler without a way past it is refused, with what to do", async () => {
  for (const alone of [true, false]) {
    const store = postgresStore({ url: pooler.url, schema: "refused", alone });
    await assert.rejects(async () => store.open(), { code: "CLAW-4077" });
  }
});

test("nodes work through PgBouncer in transaction mode, with a way past it for their sessions", async (t) => {
  const where = { url: pooler.url, directUrl: server.url, schema: "pooled" };
  const open = (): ReturnType<typeof openRuntime> =>
    openRuntime({ store: postgresStore({ ...where, alone: false }), workflows: [steps] });
  const nodes = [await open(), await open()] as const;
  t.after(() => Promise.all(nodes.map((node) => node.stop())));
  const runs = await Promise.all(
    Array.from({ length: 60 }, async (_, n) => (n % 2 === 0 ? nodes[0] : nodes[1]).start(steps, 5)),
  );
  const ends = await Promise.all(runs.map((run) => run.result({ timeout: "60s" })));
  assert.deepEqual([...new Set(ends)], [15]);
  const reader = await postgresReader({ url: pooler.url, schema: "pooled" });
  t.after(() => reader.close());
  const listed = await reader.list({ limit: 100 });
  assert.deepEqual(
    [listed.length, new Set(listed.map(({ status }) => status))],
    [60, new Set(["completed"])],
  );
  assert.deepEqual(await reader.check(), []);
});
