import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as later } from "node:timers/promises";
import { test, type TestContext } from "node:test";
import { sqliteStore } from "@claw/store-sqlite";
import { type AnyWorkflow, workflow } from "@claw/sdk";
import { type Claw, openRuntime } from "../src/index.ts";

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "claw-runtime-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const good = workflow("good", async (ctx, input: unknown) => [input, await ctx.run("s", () => 1)]);

async function open(t: TestContext, ...workflows: AnyWorkflow[]): Promise<Claw> {
  const path = join(folderOf(t), "store.db");
  const claw = await openRuntime({
    store: sqliteStore({ path }),
    workflows: [good, ...workflows],
    limits: { payloadBytesMax: 1_000 },
  });
  t.after(() => claw.stop());
  return claw;
}

/** The process goes on: another run completes afterwards. */
async function goesOn(claw: Claw): Promise<void> {
  const run = await claw.start(good, 5);
  assert.deepEqual(await run.result(), [5, 1]);
}

const numberSchema = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value: unknown) =>
      typeof value === "number"
        ? { value }
        : { issues: [{ message: "is no number", path: ["n", 0] }] },
  },
} as const;

test("an invalid or doubled definition is refused before the store is touched, and the store is free again", async (t) => {
  const path = join(folderOf(t), "store.db");
  const cases: [unknown[], string, RegExp][] = [
    [[{ name: "w" }], "CLAW-1001", /workflow\(\) did not make\. Correct the named field/],
    [[null], "CLAW-1001", /workflow\(\) did not make/],
    [
      [good, workflow("good", () => 2)],
      "CLAW-1002",
      /Workflow good@1 is defined twice\. Give one of the two another name, or raise the version/,
    ],
  ];
  for (const [workflows, code, message] of cases) {
    const opening = openRuntime({
      store: sqliteStore({ path }),
      workflows: workflows as AnyWorkflow[],
    });
    await assert.rejects(opening, { code, message });
  }
  const namespace = openRuntime({
    store: sqliteStore({ path }),
    workflows: [good],
    namespace: "a/b",
  });
  await assert.rejects(namespace, { code: "CLAW-1008", message: /The namespace "a\/b"/ });
  const claw = await openRuntime({ store: sqliteStore({ path }), workflows: [good, good] });
  await goesOn(claw);
  await claw.stop();
});

test("an unknown workflow is named with what to do", async (t) => {
  const claw = await open(t);
  const unknown = { code: "CLAW-1003", message: /"absent" is not .*Check the name and version/ };
  await assert.rejects(claw.start("absent", 1), unknown);
  await assert.rejects(
    claw.start(
      workflow("absent", () => 1),
      1,
    ),
    unknown,
  );
  await assert.rejects(claw.start("__proto__", 1), { code: "CLAW-1003" });
  await goesOn(claw);
});

test("an input that does not match its schema is refused with every issue's path", async (t) => {
  const strict = workflow("strict", { input: numberSchema }, (_ctx, n) => n);
  const claw = await open(t, strict);
  await assert.rejects(claw.start("strict", "text"), {
    code: "CLAW-1004",
    message:
      /The input of "strict" does not match its schema: \$\.n\[0\] is no number\. Correct the fields named in `issues`/,
    details: { issues: [{ path: "$.n[0]", message: "is no number" }] },
  });
  assert.deepEqual(await claw.list(), []);
  await goesOn(claw);
});

test("an input that cannot be stored is refused with its path, one over the limit with its bytes", async (t) => {
  const claw = await open(t);
  const cases: [unknown, string][] = [
    [{ a: () => 1 }, "$.a"],
    [[1n], "$[0]"],
    [{ deep: [{ text: "a\0b" }] }, "$.deep[0].text"],
    ["\ud800", "$"],
    [{ "\udc00": 1 }, "$.(a name)"],
  ];
  for (const [value, path] of cases) {
    await assert.rejects(claw.start(good, value), { code: "CLAW-1005", details: { path } });
  }
  await assert.rejects(claw.start(good, "x".repeat(1_000)), {
    code: "CLAW-1006",
    message: /The payload has 1002 bytes of 1000\. Store the data elsewhere/,
  });
  await assert.rejects(claw.publish({ type: "x", data: { a: 1n } }), { code: "CLAW-1005" });
  await goesOn(claw);
});

test("an output that cannot be stored, is too large or not of its schema fails its run with the path", async (t) => {
  const cycle: Record<string, unknown> = {};
  cycle["self"] = { cycle };
  const outputs: [unknown, string, RegExp][] = [
    [{ f: () => 1 }, "CLAW-1005", /\$\.f cannot be stored: it is a function/],
    [{ n: [1n] }, "CLAW-1005", /\$\.n\[0\] cannot be stored: it is a BigInt/],
    [cycle, "CLAW-1005", /\$\.self\.cycle cannot be stored: it refers back to itself/],
    [["a\0"], "CLAW-1005", /\$\[0\] cannot be stored: it has a NUL/],
    ["\udc00", "CLAW-1005", /\$ cannot be stored: it has a lone surrogate/],
    ["x".repeat(1_000), "CLAW-1006", /1002 bytes of 1000/],
  ];
  const bad = workflow("bad", (_ctx, at: number) => outputs[at]?.[0]);
  const typed = workflow("typed", { output: numberSchema }, () => "text" as never);
  const claw = await open(t, bad, typed);
  for (const [at, [, code, message]] of outputs.entries()) {
    await assert.rejects((await claw.start(bad, at)).result(), { code, message });
  }
  await assert.rejects((await claw.start(typed, null)).result(), {
    code: "CLAW-1004",
    message: /The output of "typed" does not match its schema: \$\.n\[0\] is no number/,
  });
  await goesOn(claw);
});

test("an output is stored as its schema gives it", async (t) => {
  const doubled = {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: (n: unknown) => ({ value: Number(n) * 2 }),
    },
  } as const;
  const claw = await open(
    t,
    workflow("twice", { output: doubled }, () => 4),
  );
  assert.equal(await (await claw.start("twice", null)).result(), 8);
});

test("a foreign await holds its run with a code and what to do", async (t) => {
  const foreign = workflow("foreign", async (ctx) => {
    await later(1);
    return ctx.run("after", () => 1);
  });
  const claw = await open(t, foreign);
  const run = await claw.start(foreign, null);
  for (;;) {
    const found = await claw.find(run.id);
    if (found?.status === "bug") {
      assert.match(found.reason, /CLAW-2004.*Move the foreign await .* into ctx\.run/s);
      break;
    }
    await later(1);
  }
  await goesOn(claw);
});

test("a signal to a closed run is refused with what to do", async (t) => {
  const claw = await open(t);
  const run = await claw.start(good, 1);
  await run.result();
  const closed = {
    code: "CLAW-3002",
    message: /has ended\. A closed run takes no messages; start a new one/,
  };
  await assert.rejects(claw.signal(run.id, "go"), closed);
  await assert.rejects(claw.signal(run.id, "go", 1, { id: "once" }), closed);
  await assert.rejects(claw.signal(run.id, "go", 1, { id: "once" }), closed);
  await assert.rejects(claw.cancel(run.id), closed);
  await assert.rejects(claw.release(run.id), closed);
  await assert.rejects(claw.signal(run.id, "a/b"), { code: "CLAW-1008" });
  await goesOn(claw);
});

test("a second owner of a store is refused, and the first goes on", async (t) => {
  const path = join(folderOf(t), "store.db");
  const first = await openRuntime({ store: sqliteStore({ path }), workflows: [good] });
  const second = openRuntime({ store: sqliteStore({ path }), workflows: [good] });
  await assert.rejects(second, {
    code: "CLAW-4001",
    message: /Stop that process, or send commands to it/,
  });
  await goesOn(first);
  await first.stop();
  const third = await openRuntime({ store: sqliteStore({ path }), workflows: [good] });
  await goesOn(third);
  await third.stop();
});

test("a store file that is damaged, newer, foreign or locked is refused with what to do", async (t) => {
  const folder = folderOf(t);
  const open = (name: string): Promise<Claw> =>
    openRuntime({ store: sqliteStore({ path: join(folder, name) }), workflows: [good] });
  writeFileSync(join(folder, "text.db"), "this is no database, whatever its name says".repeat(100));
  await assert.rejects(open("text.db"), {
    code: "CLAW-4008",
    message: /Check what --store names and the permissions there/,
  });

  const foreign = new DatabaseSync(join(folder, "foreign.db"));
  foreign.exec("CREATE TABLE notes (text TEXT)");
  foreign.close();
  await assert.rejects(open("foreign.db"), { code: "CLAW-4008", message: /another program/ });

  const claw = await open("newer.db");
  await goesOn(claw);
  await claw.stop();
  const newer = new DatabaseSync(join(folder, "newer.db"));
  newer.exec("PRAGMA user_version = 99");
  newer.close();
  await assert.rejects(open("newer.db"), {
    code: "CLAW-4003",
    message: /99.*Use at least the version/s,
  });

  const kept = await open("locked.db");
  await kept.stop();
  const locker = new DatabaseSync(join(folder, "locked.db"));
  locker.exec("BEGIN IMMEDIATE");
  await assert.rejects(open("locked.db"), {
    code: "CLAW-4005",
    message: /Another program has the database open/,
  });
  locker.exec("ROLLBACK");
  locker.close();
  const free = await open("locked.db");
  await goesOn(free);
  await free.stop();
});
