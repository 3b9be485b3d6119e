import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test, type TestContext } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { sqliteStore } from "@claw/store-sqlite";
import { type Context, workflow } from "@claw/sdk";
import { type Claw, openRuntime, type RuntimeOptions } from "../src/index.ts";

/** A stop in the middle of bodies that never end may take so long. */
const STOP_MS_MAX = 2_000;

const over = { is: false };
after(() => {
  over.is = true;
});

const never = new Promise<never>(() => {});
const good = workflow("good", (ctx) => ctx.run("s", () => 1));

function place(t: TestContext): (options?: Partial<RuntimeOptions>) => Promise<Claw> {
  const folder = mkdtempSync(join(tmpdir(), "claw-endless-"));
  const path = join(folder, "store.db");
  const opened: Claw[] = [];
  t.after(async () => {
    for (const claw of opened) await claw.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  return async (options = {}) => {
    const claw = await openRuntime({ store: sqliteStore({ path }), workflows: [good], ...options });
    opened.push(claw);
    return claw;
  };
}

/** Bodies that never end, in different ways. */
const BODIES: Readonly<Record<string, () => unknown>> = {
  "waits for what never comes": () => never,
  "goes on and on without a word": async () => {
    // But for the end of this file, which could not end otherwise.
    while (!over.is) await pause(1);
  },
  "ignores that it was aborted, and answers later": () => pause(300, "late"),
};

for (const [what, body] of Object.entries(BODIES)) {
  test(`a body that ${what} has its timeout, its run goes on, and others are not kept`, async (t) => {
    const flow = workflow("flow", (ctx) =>
      ctx
        .run("s", body, { timeout: 50, retry: { attempts: 2, initial: 1 } })
        .catch((error: unknown) => (error as { code: string }).code),
    );
    const claw = await place(t)({ workflows: [flow, good] });
    const run = await claw.start(flow, undefined);
    assert.equal(await (await claw.start(good, 1)).result(), 1);
    assert.equal(await run.result({ timeout: "10s" }), "CLAW-2002");
    const journal = (await claw.find(run.id))?.journal.length;
    await pause(350);
    assert.equal((await claw.find(run.id))?.journal.length, journal, "a late answer is refused");
  });

  test(`a body that ${what} keeps its run neither from being cancelled nor from being terminated`, async (t) => {
    const code = (ctx: Context): unknown => ctx.run("s", body);
    const flow = workflow("flow", code);
    const claw = await place(t)({ workflows: [flow, good] });
    const [one, other] = [await claw.start(flow, 1), await claw.start(flow, 2)];
    await claw.flush();
    await claw.cancel(one.id);
    assert.equal((await one.ended({ timeout: "5s" })).status, "cancelled");
    await claw.terminate(other.id);
    assert.equal((await other.ended({ timeout: "5s" })).status, "terminated");
  });

  test(`a body that ${what} keeps a process from stopping for no longer than two seconds`, async (t) => {
    const opener = place(t);
    const flow = workflow("flow", (ctx) => ctx.run("s", body, { timeout: "1h" }));
    const claw = await opener({ workflows: [flow, good] });
    const run = await claw.start(flow, 1);
    await claw.flush();
    const begun = performance.now();
    await claw.stop();
    assert.ok(performance.now() - begun < STOP_MS_MAX);
    const again = await opener({
      workflows: [workflow("flow", (ctx) => ctx.run("s", () => 2)), good],
    });
    assert.equal(await again.run(run.id).result({ timeout: "5s" }), 2, "it ran again");
  });
}

test("a run that grows without end is stopped by its bounds, and says which", async (t) => {
  const codes: unknown[] = [];
  const grows = workflow("grows", async (ctx) => {
    const kept: string[] = [];
    for (;;) {
      kept.push("x".repeat(1_000));
      try {
        await ctx.run("s", () => kept);
      } catch (error) {
        codes.push((error as { code: string }).code);
        break;
      }
    }
    return kept.length;
  });
  const claw = await place(t)({ workflows: [grows, good], limits: { payloadBytesMax: 20_000 } });
  assert.equal(await (await claw.start(grows, 1)).result({ timeout: "20s" }), 20);
  assert.deepEqual(codes, ["CLAW-1006"]);
  assert.equal(await (await claw.start(good, 1)).result(), 1);
});
