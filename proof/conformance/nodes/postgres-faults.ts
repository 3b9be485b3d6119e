import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { postgresStore } from "@claw/store-postgres";
import pg from "pg";
import { delivery, first, step, transition } from "../store/world.ts";
import { postgresNodes } from "./postgres-nodes.ts";
import { openNodes, REPORT, SharedWorld, TestNode, until } from "./world.ts";

/** What only a real server shows: its locks, its clock, threads and connections. */
export function provePostgresFaults(url: string): void {
  const make = (): ReturnType<typeof postgresNodes> => postgresNodes(url);

  test("a commit that is being written when its node is ended is whole, and the next one is refused", async (t) => {
    const { world, a, b } = await openNodes(t, make);
    const place = world.place as ReturnType<typeof make>;
    const [row, blocked] = [await world.start(a), await world.startResting(b)];
    const client = await connected(url);
    await client.query("BEGIN");
    await client.query(`SELECT 1 FROM ${place.schema}.runs WHERE id = $1 FOR UPDATE`, [blocked.id]);
    // The commit holds its locks and waits for a row that somebody else has locked.
    const late = a.commit(transition(row, step(row, 1)), delivery(blocked.id));
    await until(async () => (await waiting(client)) === 1, "the commit waits");
    await place.lapse(a.incarnation);
    const taking = b.shared.takeOver();
    await until(async () => (await waiting(client)) === 2, "the takeover waits");
    await client.query("ROLLBACK");
    await client.end();
    const answer = await late;
    assert.deepEqual(answer.items[0]?.status, "applied");
    assert.equal(await taking, 1);
    await assert.rejects(a.step(row, 2), { code: "CLAW-4007" });
    const [stored] = await b.shared.claim([row.id]);
    assert.deepEqual([[...(stored?.journal ?? [])].length, stored?.row.recoveries], [1, 1]);
    assert.deepEqual(await b.store.check(), []);
  });

  test("a lease is renewed while nothing else happens, and not while the main loop stands still", async (t) => {
    const place = make();
    const world = new SharedWorld(place);
    t.after(() => world.remove());
    const options = { url, schema: place.schema, alone: false, leaseMs: 1_000, stallMs: 1_000 };
    const node = new TestNode(postgresStore(options));
    t.after(() => node.store.close());
    await node.open();
    await setTimeout(1_500);
    assert.ok(node.shared.leaseLeftMs() > 0);
    const other = await world.node();
    assert.equal(await other.shared.takeOver(), 0);
    const row = await world.start(node);
    const stalled = performance.now();
    while (performance.now() - stalled < 3_500);
    // Its own clock says it before anybody else could have acted on it.
    assert.ok(node.shared.leaseLeftMs() < 0, String(node.shared.leaseLeftMs()));
    assert.equal(await other.shared.takeOver(), 1);
    await assert.rejects(node.step(row, 1), { code: "CLAW-4007" });
  });

  test("a node that loses its connections goes on with its lease, and opens again beside others", async (t) => {
    const { world, a, b } = await openNodes(t, make);
    const row = await world.start(a);
    await a.step(row, 1);
    const other = await world.start(b);
    const client = await connected(url);
    await client.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'claw'",
    );
    await client.end();
    await assert.rejects(async () => a.step(row, 2));
    assert.equal((await a.open()).incarnation, 3);
    const [stored] = await a.shared.claim([row.id]);
    assert.deepEqual([[...(stored?.journal ?? [])].length, stored?.row.recoveries], [1, 0]);
    await assert.rejects(async () => b.step(other, 1));
    await b.open();
    assert.equal(await b.claim(other.id), true);
    assert.deepEqual(await b.store.check(), []);
  });

  test("a process that is alone on a schema and nodes on it exclude each other", async (t) => {
    const place = make();
    const world = new SharedWorld(place);
    t.after(() => world.remove());
    const alone = postgresStore({ url, schema: place.schema });
    await world.node();
    await assert.rejects(async () => alone.open(), { code: "CLAW-4001" });
    await world.remove().catch(() => {});
    const other = make();
    const owner = postgresStore({ url, schema: other.schema });
    await owner.open();
    const node = other.node();
    await assert.rejects(async () => node.open(), { code: "CLAW-4001" });
    await owner.close();
    assert.equal((await node.open()).incarnation, 2);
    await node.close();
    await other.remove();
  });

  test("nodes that copies of a database remember have ended: what they held goes on", async (t) => {
    const { world, a, b } = await openNodes(t, make);
    const place = world.place as ReturnType<typeof make>;
    const row = await world.start(a);
    const client = await connected(url);
    await client.query(`DELETE FROM ${place.schema}.leases WHERE incarnation = $1`, [
      a.incarnation,
    ]);
    await client.end();
    assert.equal(await b.shared.takeOver(), 1);
    await b.dueSoon(row.id);
  });

  test("bounds of a lease that make no sense are refused", async () => {
    for (const bounds of [
      { leaseMs: 0 },
      { leaseMs: 1_000, stallMs: 500 },
      { leaseMs: Number.NaN },
    ]) {
      const store = postgresStore({ url, alone: false, ...bounds });
      await assert.rejects(async () => store.open(), { code: "CLAW-4008" });
    }
  });

  test("nodes share what is due, and what one leaves lying goes to the other", async (t) => {
    const { world, a, b } = await openNodes(t, make);
    await until(() => sees(a, 2), "the nodes know of each other");
    const ids = new Set<string>();
    for (let n = 0; n < 40; n++) {
      const park = { due: 1, waits: 0, inboxSeen: 0 };
      ids.add((await world.start(a, { park })).id);
    }
    const [one, other] = [await a.due(), await b.due()];
    assert.deepEqual(
      one.filter((id) => other.includes(id)),
      [],
    );
    assert.ok(one.length + other.length <= 40);
    await until(async () => (await b.due()).length === 40, "all of them for the other");
    // A node that says that it takes nothing is expected to take nothing.
    a.shared.report({ ...REPORT, takes: false });
    await a.open();
    await b.open();
    assert.equal((await b.due()).length, 40);
    assert.equal((await a.commit(first(world.row()))).items[0]?.status, "applied");
  });
}

async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
}

// Statements that wait for a lock.
async function waiting(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ n: string }>(
    "SELECT count(DISTINCT pid) AS n FROM pg_locks WHERE NOT granted",
  );
  return Number(rows[0]?.n);
}

async function sees(node: TestNode, count: number): Promise<boolean> {
  return (await node.shared.nodes()).length === count;
}
