import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { entryView, runDetailView } from "@claw/gateway/wire";
import { compression, encryption, openRuntime } from "@claw/runtime";
import { type AnyWorkflow, workflow } from "@claw/sdk";
import { memoryStore } from "@claw/store-memory";
import {
  exportHistory,
  type ReplayVerdict,
  replayFolder,
  replayHistory,
  testWorld,
} from "../src/index.ts";
import { Approved, label, type Order, order, shipped } from "./workflows.ts";

const never = (): never => {
  throw new Error("a replay runs no body");
};

const two = workflow("two", async (ctx, n: number) => {
  const first = await ctx.run("first", () => n + 1);
  await ctx.sleep("1d");
  const second = await ctx.run("second", () => first * 2);
  return { first, second };
});

/** The history of a run that has ended, as it comes out of a file. */
async function ended(workflows: readonly AnyWorkflow[], input: unknown): Promise<string> {
  await using world = await testWorld({ workflows });
  const run = await world.start(workflows[0]?.name ?? "", input);
  await run.rest();
  return exportHistory((await run.state()).record);
}

const against = (history: unknown, code: AnyWorkflow): Promise<ReplayVerdict> =>
  replayHistory(history, { workflows: [code] });

test("unchanged code ends as its history says, and no body runs", async () => {
  const history = await ended([two], 4);
  const silent = workflow("two", async (ctx) => {
    const first = await ctx.run("first", never);
    await ctx.sleep("1d");
    const second = await ctx.run("second", never);
    return { first, second };
  });
  const verdict = await against(history, silent);
  assert.deepEqual(verdict, {
    ok: true,
    end: "same",
    note: 'the code ends (completed {"first":5,"second":10})',
  });
});

test("a whole order with children, event, signal, map and race agrees with its history", async () => {
  await using world = await testWorld({
    workflows: [order, label, shipped],
    tasks: { charge: () => ({ receipt: "r" }) },
  });
  const run = await world.start(order, { id: "o-1", cents: 5 });
  await world.advance("3d");
  await run.signal("note", "n");
  await world.publish(Approved, { order: "o-1", by: "Ada" });
  await run.result();
  for (const { id } of await world.list()) {
    const { record } = await world.run(id).state();
    const verdict = await replayHistory(record, { workflows: [order, label, shipped] });
    assert.equal(
      verdict.ok && verdict.end,
      "same",
      `${record.workflow}: ${JSON.stringify(verdict)}`,
    );
  }
});

test("a renamed, a removed, an inserted and a changed step diverge, each with both sides named", async () => {
  const history = await ended([two], 4);
  const renamed = workflow("two", async (ctx) => {
    const first = await ctx.run("erste", never);
    await ctx.sleep("1d");
    return { first, second: await ctx.run("second", never) };
  });
  const removed = workflow("two", async (ctx) => {
    await ctx.sleep("1d");
    return { second: await ctx.run("second", never) };
  });
  const inserted = workflow("two", async (ctx) => {
    const first = await ctx.run("first", never);
    await ctx.run("checked", never);
    await ctx.sleep("1d");
    return { first, second: await ctx.run("second", never) };
  });
  const changed = workflow("two", async (ctx) => {
    const first = await ctx.run("first", never);
    await ctx.sleep("2d");
    return { first, second: await ctx.run("second", never) };
  });
  const said = async (code: AnyWorkflow): Promise<string> => {
    const verdict = await against(history, code);
    assert.equal(verdict.ok, false);
    return verdict.ok ? "" : `${verdict.held}: ${verdict.divergence}`;
  };
  assert.equal(
    await said(renamed),
    'diverged: the journal has step "first", the code asks for step erste',
  );
  assert.match(await said(removed), /^diverged: the journal has step "first", the code asks for/);
  assert.match(await said(inserted), /"sleep", the code asks for step checked$/);
  assert.match(await said(changed), /^diverged: the journal has sleep .* "sleep"/);
});

test("code that asks for more at the end, or ends with another result, is no divergence", async () => {
  const history = await ended([two], 4);
  const longer = workflow("two", async (ctx) => {
    const first = await ctx.run("first", never);
    await ctx.sleep("1d");
    const second = await ctx.run("second", never);
    await ctx.run("third", never);
    return { first, second };
  });
  const other = workflow("two", async (ctx) => {
    await ctx.run("first", never);
    await ctx.sleep("1d");
    return ctx.run("second", never);
  });
  assert.deepEqual(await against(history, longer), {
    ok: true,
    end: "beyond",
    note: 'where the history ends, the code asks for step "third"',
  });
  const verdict = await against(history, other);
  assert.equal(verdict.ok && verdict.end, "other");
});

test("the history of a run that still waits is followed as far as it goes", async () => {
  await using world = await testWorld({ workflows: [two] });
  const run = await world.start(two, 4);
  const { record, status } = await run.state();
  assert.equal(status, "waiting");
  const verdict = await against(record, two);
  assert.equal(verdict.ok && verdict.end, "open");
  const early = workflow("two", (ctx) => ctx.run("first", never));
  const shorter = await against(record, early);
  assert.equal(shorter.ok && shorter.end, "other");
});

test("a programming error, code that stands still and missing code are named as what they hold", async () => {
  const history = await ended([two], 4);
  const broken = workflow("two", async (ctx) => {
    await ctx.run("first", never);
    await ctx.sleep("1d");
    const second: { deep: number[] } = await ctx.run("second", never);
    return second.deep.length;
  });
  const still = workflow("two", async (ctx) => {
    await ctx.run("first", never);
    await ctx.sleep("1d");
    await ctx.run("second", never);
    await new Promise(() => {});
  });
  const newer = workflow("two", { version: 2 }, () => null);
  const held = async (code: AnyWorkflow): Promise<string> => {
    const verdict = await against(history, code);
    return verdict.ok ? "none" : verdict.held;
  };
  assert.equal(await held(broken), "bug");
  assert.equal(await held(still), "stuck");
  assert.equal(await held(newer), "no_code");
});

test("a run that was cancelled, one that failed and one that was undone end as their histories say", async () => {
  const log: string[] = [];
  const trip = workflow("trip", async (ctx, way: string) => {
    await ctx.run("book", () => 7, { undo: (value) => void log.push(`undo ${value}`) });
    if (way === "fail") ctx.fail("no seat");
    await ctx.sleep("1d");
  });
  const plain = workflow("plain", async (ctx) => {
    await ctx.run("break", () => Promise.reject(new Error("it broke")), { retry: { attempts: 2 } });
  });
  const workflows = [trip, plain];
  await using world = await testWorld({ workflows });
  const runs = [
    await world.start(trip, "fail"),
    await world.start(trip, "wait"),
    await world.start(plain, null),
  ];
  await runs[1]?.cancel("enough");
  const statuses: string[] = [];
  for (const run of runs) {
    const { status } = await run.ended();
    statuses.push(status);
    const verdict = await replayHistory((await run.state()).record, { workflows });
    assert.equal(verdict.ok && verdict.end, "same", JSON.stringify(verdict));
  }
  assert.equal(statuses[2], "failed");
  assert.deepEqual(log, ["undo 7", "undo 7"]);
  assert.equal(world.bodies("undo book").length, 2);
});

test("a folder of histories is replayed file by file; the divergences are one line each", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "claw-histories-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const renamed = workflow("two", (ctx) => ctx.run("erste", never));
  for (const n of [1, 2]) {
    writeFileSync(join(folder, `${n}.jsonl`), await ended([two], n));
  }
  writeFileSync(join(folder, "notes.txt"), "no history");
  const good = await replayFolder(folder, { workflows: [two] });
  assert.equal(good.ok, true);
  assert.deepEqual(
    good.results.map(({ file }) => file),
    ["1.jsonl", "2.jsonl"],
  );
  const bad = await replayFolder(folder, { workflows: [renamed] });
  assert.equal(bad.ok, false);
  assert.equal(
    bad.divergences[0],
    '1.jsonl: diverged: the journal has step "first", the code asks for step erste',
  );
});

test("what is no history is a coded error that says why; an empty folder is no success", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "claw-histories-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const options = { workflows: [two] };
  await assert.rejects(replayFolder(folder, options), { code: "CLAW-6005", message: /no \.json/ });
  writeFileSync(join(folder, "a.json"), "{");
  await assert.rejects(replayFolder(folder, options), { code: "CLAW-6005", message: /a\.json/ });
  const text = await ended([two], 1);
  const entries = text.split("\n").flatMap((line) => {
    return line.startsWith('{"entry":') ? [(JSON.parse(line) as { entry: object }).entry] : [];
  });
  const [first] = text.split("\n").filter((line) => line.startsWith('{"run":'));
  const history = {
    ...(JSON.parse(first ?? "") as { run: object }).run,
    status: "completed",
    output: "",
    journal: entries,
  };
  const cases: [unknown, RegExp][] = [
    [null, /the history is no object/],
    [{ journal: [] }, /id is no text/],
    [{ ...history, journal: undefined }, /no journal/],
    [{ ...history, journal: history.journal.toReversed() }, /entry 2 has another number/],
    [text.slice(0, -10), /CLAW-4061: Line \d+: the file ends inside of it/],
    [text.replace('"first"', '"frist"'), /CLAW-4061: .*digest differs/],
    ["", /CLAW-4061/],
    [{ ...history, journal: [{ ...history.journal[0], print: undefined }] }, /no fingerprint/],
    [{ ...history, journal: [{ ...history.journal[0], kind: "?" }] }, /no known kind/],
  ];
  for (const [given, message] of cases) {
    await assert.rejects(replayHistory(given, options), { code: "CLAW-6005", message });
  }
});

test("what the command line shows as JSON is a history too", async () => {
  await using world = await testWorld({
    workflows: [order, label],
    tasks: { charge: () => ({ receipt: "r" }) },
  });
  const run = await world.start(order, { id: "o-1", cents: 5 });
  await world.advance("3d");
  await run.signal("note", "n");
  await run.result();
  for (const { id } of await world.list()) {
    const { record } = await world.run(id).state();
    const shown = { ...runDetailView(record), journal: record.journal.map(entryView) };
    const history: unknown = JSON.parse(JSON.stringify(shown));
    const verdict = await replayHistory(history, { workflows: [order, label] });
    assert.equal(verdict.ok && verdict.end, "same", JSON.stringify(verdict));
  }
});

test("code that awaits other things, with leave to, is replayed too", async () => {
  const loose = workflow("loose", { foreignAwait: "warn" }, async (ctx, n: Order | number) => {
    await new Promise((resolve) => setTimeout(resolve, 3));
    const first = await ctx.run("first", () => Number(n) + 1);
    await new Promise((resolve) => setTimeout(resolve, 3));
    return ctx.run("second", () => first + 1);
  });
  const history = await ended([loose], 1);
  const verdict = await against(history, loose);
  assert.equal(verdict.ok && verdict.end, "same", JSON.stringify(verdict));
});

test("an export of a store is replayed run by run, with large and encrypted values", async () => {
  const codec = [compression(), encryption({ current: "k", keys: { k: randomBytes(32) } })];
  const large = workflow("large", async (ctx) => {
    const value = await ctx.run("much", () => randomBytes(1_000_000).toString("hex"));
    return (await ctx.run("length", () => value.length)) === value.length;
  });
  const claw = await openRuntime({ store: memoryStore(), workflows: [large, two], codec });
  await (await claw.start(large, undefined)).result();
  const resting = await claw.start(two, 1);
  await resting.ended({ timeout: "50ms" }).catch(() => null);
  let text = "";
  for await (const chunk of claw.exportRuns()) text += chunk;
  await claw.stop();
  const folder = mkdtempSync(join(tmpdir(), "claw-histories-"));
  writeFileSync(join(folder, "all.jsonl"), text);
  const good = await replayFolder(folder, { workflows: [large, two], codec });
  assert.deepEqual(
    good.results.map(({ verdict }) => verdict.ok && verdict.end),
    ["same", "open"],
  );
  const changed = workflow("large", async (ctx) => ctx.run("little", () => 1));
  const bad = await replayFolder(folder, { workflows: [changed, two], codec });
  assert.match(bad.divergences[0] ?? "", /^all\.jsonl: diverged: the journal has step "much"/);
  await assert.rejects(replayFolder(folder, { workflows: [large, two] }), {
    code: "CLAW-6005",
    message: /It needs the codec "aes"/,
  });
  rmSync(folder, { recursive: true });
});
