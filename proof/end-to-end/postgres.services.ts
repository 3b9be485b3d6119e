import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { isClawError } from "@claw/core/protocol";
import { openRuntime } from "@claw/runtime";
import { event, workflow } from "@claw/sdk";
import { postgresStore } from "@claw/store-postgres";
import pg from "pg";
import { startPostgres } from "../servers/postgres-server.ts";

const server = await startPostgres(18);
after(() => server.stop());

let schemas = 0;
const place = (): { url: string; schema: string } => ({
  url: server.url,
  schema: `end_to_end_${++schemas}`,
});

const steps = workflow("steps", async (ctx, count: number) => {
  let sum = 0;
  for (let n = 1; n <= count; n++) sum += await ctx.run("add", () => n);
  await ctx.sleep(200);
  return sum;
});

test("a second process gets a store when the one that owns it has closed it, and not before", async () => {
  const where = place();
  const owner = await openRuntime({ store: postgresStore(where), workflows: [steps] });
  const second = postgresStore(where);
  await assert.rejects(async () => second.open(), { code: "CLAW-4001" });
  await owner.stop();
  assert.equal((await second.open()).incarnation, 2);
  await second.close();
});

test("a refused password is a coded error that does not name it", async () => {
  const url = server.url.replace("claw@", "claw:very-secret@").replace("/postgres", "/nowhere");
  const opening = (async () => postgresStore({ url }).open())();
  await assert.rejects(opening, (error) => {
    assert.ok(isClawError(error, "CLAW-4071"), String(error));
    assert.doesNotMatch(`${error.message} ${String(error.cause)}`, /very-secret/);
    return true;
  });
  const broken = postgresStore({ url: "postgres://claw:very-secret@:99999999/" });
  await assert.rejects(
    async () => broken.open(),
    (error) => {
      return isClawError(error) && !error.message.includes("very-secret");
    },
  );
});

test("a schema of another program, and one of a newer version, are left alone", async () => {
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  const [other, newer] = [place(), place()];
  await client.query(`CREATE SCHEMA ${other.schema}; CREATE TABLE ${other.schema}.runs (id text)`);
  await assert.rejects(async () => postgresStore(other).open(), { code: "CLAW-4008" });
  const store = postgresStore(newer);
  await store.open();
  await store.close();
  await client.query(`UPDATE ${newer.schema}.meta SET value = 999 WHERE name = 'version'`);
  await assert.rejects(async () => postgresStore(newer).open(), { code: "CLAW-4003" });
  await client.end();
});

test("connections that break under load lose nothing that was acknowledged", async (t) => {
  const claw = await openRuntime({ store: postgresStore(place()), workflows: [steps] });
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  t.after(async () => {
    await client.end();
    await claw.stop();
  });
  const others =
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'claw'";
  const one = async (n: number): Promise<unknown> => {
    const idempotencyKey = `run ${n}`;
    const run = await whileUnavailable(async () => claw.start(steps, 5, { idempotencyKey }));
    return whileUnavailable(async () => run.result({ timeout: "60s" }));
  };
  const ends: Promise<unknown>[] = [];
  for (let n = 0; n < 60; n++) {
    ends.push(one(n));
    if (n % 20 !== 10) continue;
    await setTimeout(30);
    await client.query(others);
  }
  assert.deepEqual([...new Set(await Promise.all(ends))], [15]);
  const all = await claw.list({ limit: 1_000 });
  assert.deepEqual(
    [all.length, new Set(all.map(({ status }) => status))],
    [60, new Set(["completed"])],
  );
});

test("a server that is killed and comes back finds its runs going on", async (t) => {
  const own = await startPostgres(15);
  const claw = await openRuntime({ store: postgresStore({ url: own.url }), workflows: [steps] });
  t.after(async () => {
    await claw.stop();
    await own.stop();
  });
  const runs = await Promise.all(Array.from({ length: 50 }, async () => claw.start(steps, 5)));
  const ends = runs.map(async (run) => run.result({ timeout: "60s" }));
  await own.kill();
  await own.restart();
  assert.deepEqual([...new Set(await Promise.all(ends))], [15]);
});

test("words that a database cannot hold, and a match longer than an index takes, harm no other run", async (t) => {
  const words = workflow("words", async () => {
    throw new TypeError("a\0b \ud800");
  });
  const match = Object.fromEntries(
    Array.from({ length: 200 }, (_, n) => [`${n}.${randomBytes(20).toString("hex")}`, n]),
  );
  const waits = workflow("waits", async (ctx) => ctx.waitFor(event("paid"), { match }));
  const workflows = [words, waits, steps];
  const claw = await openRuntime({ store: postgresStore(place()), workflows });
  t.after(() => claw.stop());
  const [held, waiting] = [await claw.start(words, null), await claw.start(waits, null)];
  assert.equal(await (await claw.start(steps, 2)).result(), 3);
  const statuses = async (): Promise<unknown[]> => [
    (await claw.find(held.id))?.status,
    (await claw.find(waiting.id))?.status,
  ];
  const until = Date.now() + 10_000;
  while ((await statuses()).includes("running") && Date.now() < until) await setTimeout(10);
  assert.deepEqual(await statuses(), ["bug", "waiting"]);
});

// What a client does with an error that says that it may be tried again.
async function whileUnavailable<T>(act: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (!isClawError(error) || !error.retryable) throw error;
      await setTimeout(50);
    }
  }
}

test("a node whose connection is cut while nothing is written reads again by itself", async () => {
  const where = place();
  const claw = await openRuntime({ store: postgresStore(where), workflows: [steps] });
  const run = await claw.start(steps, 1);
  await run.result();
  const admin = new pg.Client({ connectionString: server.url });
  await admin.connect();
  await admin.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'claw'",
  );
  await admin.end();
  await assert.rejects(async () => claw.list());
  const again = async (): Promise<number> => (await claw.list().catch(() => [])).length;
  while ((await again()) === 0) await setTimeout(20);
  await claw.stop();
});
