import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { limits } from "@claw/core/protocol";
import { openRuntime } from "@claw/runtime";
import { event, isClawError, workflow } from "@claw/sdk";
import { sqliteReader, sqliteStore } from "@claw/store-sqlite";
import { ownFolder } from "./own-folder.ts";
import { until } from "./until.ts";

const SIGNALS = 100_000;
const CALLERS = 500;
/** Bytes of memory that all of them together may leave behind: 10,000 are kept. */
const LEFT_BYTES_MAX = 100 * 1024 * 1024;

const Paid = event("order.paid");
const deaf = workflow("deaf", (ctx) => ctx.receive("never"));
const good = workflow("good", async (ctx, n: number) => ctx.run("s", () => n));
const broken = workflow("broken", async (ctx) => {
  const paid = ctx.waitFor(Paid, { match: { order: 1 } });
  await ctx.run("s", () => 1);
  if (paid instanceof Promise) throw new TypeError("a mistake");
});

test("100,000 signals to one run: its inbox has a bound, other runs go on, and memory is given back", async (t) => {
  const file = path.join(ownFolder(t), "flood.db");
  const claw = await openRuntime({ store: sqliteStore({ path: file }), workflows: [deaf, good] });
  t.after(() => claw.stop());
  const { id } = await claw.start(deaf, undefined);
  const before = process.memoryUsage().heapUsed;
  let [taken, refused, sent] = [0, 0, 0];
  const others: Promise<number>[] = [];
  const caller = async (): Promise<void> => {
    while (sent < SIGNALS) {
      const number = sent++;
      if (number % 1_000 === 0) others.push((await claw.start(good, number)).result());
      try {
        await claw.signal(id, "flood", { number });
        taken++;
      } catch (error) {
        assert.ok(isClawError(error, "CLAW-3004"), String(error));
        refused++;
      }
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  assert.equal(taken, limits.INBOX_ROWS_MAX);
  assert.equal(taken + refused, SIGNALS);
  assert.equal((await Promise.all(others)).length, SIGNALS / 1_000);
  globalThis.gc?.();
  const left = process.memoryUsage().heapUsed - before;
  assert.ok(left < LEFT_BYTES_MAX, `${Math.round(left / 1024 / 1024)} MB are left`);
  await claw.cancel(id, "enough");
  assert.equal((await claw.run(id).ended()).status, "cancelled");
  await claw.stop();
  const reader = sqliteReader({ path: file });
  assert.deepEqual(reader.check(), []);
  reader.close();
});

test("events fill the inbox of a held run no further than it waits for them", async (t) => {
  const file = path.join(ownFolder(t), "held.db");
  const claw = await openRuntime({ store: sqliteStore({ path: file }), workflows: [broken] });
  t.after(() => claw.stop());
  const { id } = await claw.start(broken, undefined);
  await until("held", async () => (await claw.find(id))?.status === "bug");
  const data = { order: 1 };
  await Promise.all(Array.from({ length: 2_000 }, () => claw.publish({ type: Paid.type, data })));
  await claw.stop();
  const store = sqliteStore({ path: file });
  await store.open();
  const [stored] = await store.load([id]);
  assert.ok((stored?.inbox.length ?? 9) <= 1);
  await store.close();
});
