import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { pathToFileURL } from "node:url";
import { type Claw, openRuntime } from "@claw/runtime";
import { type AnyTask, type AnyWorkflow, isTask, isWorkflow } from "@claw/sdk";
import { memoryStore } from "@claw/store-memory";

const HOUSE = join(import.meta.dirname, "..", "..", "..");
// Inside of the house, where the snippets find what they import.
const PLACES = join(HOUSE, ".runtime", "guides");

/** What a snippet of a client left in its variables. */
type Left = Readonly<Record<string, unknown>>;

/** Runs the snippets of a page in order: `ts` defines workflows, `ts client` is code with `claw` at hand. */
async function runPage(t: TestContext, page: string): Promise<{ claw: Claw; left: Left[] }> {
  mkdirSync(PLACES, { recursive: true });
  const folder = mkdtempSync(join(PLACES, "page-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const text = readFileSync(join(HOUSE, "docs", "guides", page), "utf8");
  const snippets = [...text.matchAll(/```(ts|ts client)\n([\s\S]*?)```/g)];
  const workflows: AnyWorkflow[] = [];
  const tasks: AnyTask[] = [];
  const clients: string[] = [];
  for (const [, kind, code = ""] of snippets) {
    if (kind === "ts client") {
      clients.push(code);
      continue;
    }
    const name = /export const (\w+)/.exec(code)?.[1] ?? "snippet";
    const module = await load(join(folder, `${name}.ts`), code);
    workflows.push(...Object.values(module).filter(isWorkflow));
    tasks.push(...Object.values(module).filter(isTask));
  }
  const claw = await openRuntime({ store: memoryStore(), workflows, tasks });
  t.after(() => claw.stop());
  const left: Left[] = [];
  for (const [at, code] of clients.entries()) {
    const imports = code.match(/^import .*$/gm)?.join("\n") ?? "";
    const body = code.replace(/^import .*$/gm, "");
    const names = [...body.matchAll(/^(?:const|let) (\w+)/gm)].map(([, name]) => name);
    const whole = `${imports}\nexport async function client(claw) {${body}\nreturn { ${names.join(", ")} };\n}`;
    const module = await load(join(folder, `client-${at}.ts`), whole);
    left.push(await (module["client"] as (claw: Claw) => Promise<Left>)(claw));
  }
  return { claw, left };
}

async function load(path: string, code: string): Promise<Readonly<Record<string, unknown>>> {
  writeFileSync(path, code);
  return (await import(pathToFileURL(path).href)) as Readonly<Record<string, unknown>>;
}

test("the guide of queries and updates does what it says", async (t) => {
  const { left } = await runPage(t, "queries-and-updates.md");
  const [basket, crossroads] = left;
  assert.equal(basket?.["count"], 1);
  assert.equal(basket?.["again"], 1);
  assert.deepEqual(basket?.["items"], ["apple"]);
  assert.equal(crossroads?.["way"], "left");
});

test("the guide of operating runs does what it says", async (t) => {
  const { left } = await runPage(t, "operating-runs.md");
  const [paused, terminated, skipped, retried] = left;
  const output = ["seat 1", "paid"];
  assert.deepEqual(paused?.["shown"], ["paused", "the bank is down"]);
  assert.deepEqual(paused?.["output"], output);
  assert.partialDeepStrictEqual(terminated?.["end"], { status: "terminated" });
  assert.deepEqual(skipped?.["output"], output);
  assert.partialDeepStrictEqual(retried?.["end"], { status: "failed" });
  assert.equal(retried?.["from"], "charge");
  assert.deepEqual(retried?.["output"], output);
});

test("the guide of approvals does what it says", async (t) => {
  const { left } = await runPage(t, "approvals.md");
  const [refund = {}] = left;
  assert.deepEqual(
    (refund["open"] as { title: string; call: string }[]).map(({ title, call }) => [title, call]),
    [["Refund order o-7?", "approval"]],
  );
  assert.equal(refund["output"], "paid back 500 cents");
});

test("the guide of long-lived runs does what it says", async (t) => {
  const { claw, left } = await runPage(t, "long-lived-runs.md");
  const [meter, month, parcel] = left;
  assert.deepEqual([meter?.["sum"], meter?.["journal"]], [5_050, 1]);
  assert.deepEqual([month?.["total"], month?.["generations"]], [120, 11]);
  assert.deepEqual(parcel?.["attributes"], [{ customer: "Ada", weight: 3 }]);
  const order = await claw.start("order", undefined);
  assert.equal(await order.result(), "paid");
  assert.deepEqual(
    (await claw.find(order.id))?.journal.map(({ call }) => call),
    ["", "audit", "reserve", "check", "charge"],
  );
});

test("the guide of tasks does what it says", async (t) => {
  const { left } = await runPage(t, "tasks.md");
  const [mails = {}] = left;
  assert.equal(mails["count"], 2);
  assert.equal((mails["again"] as { existing: boolean }).existing, true);
  assert.equal((mails["done"] as { output: unknown }).output, "sent");
  const dead = mails["dead"] as { error: { message: string } }[];
  assert.deepEqual(
    dead.map(({ error }) => error.message),
    ["nobody is no address"],
  );
});

test("the guide of retention does what it says", async (t) => {
  const { left } = await runPage(t, "retention.md");
  const [look = {}] = left;
  assert.equal(look["output"], "hello Ada");
  assert.deepEqual((look["would"] as { runs: unknown }).runs, { completed: 1 });
  assert.notEqual(look["still"], null);
  assert.deepEqual((look["swept"] as { runs: unknown }).runs, { completed: 1 });
  assert.equal(look["gone"], null);
});

test("the guide of children does what it says", async (t) => {
  const { left } = await runPage(t, "children.md");
  const [shop = {}] = left;
  assert.equal(shop["output"], "on its way");
  assert.partialDeepStrictEqual(shop["ended"], { status: "completed", output: "parcel 7" });
});

test("the guide of streams does what it says", async (t) => {
  const { left } = await runPage(t, "streams.md");
  const [asked, again, shaky] = left;
  assert.deepEqual([asked?.["text"], asked?.["cursor"]], ["It is 42.", 4]);
  assert.deepEqual(asked?.["log"], [
    { at: "asked", question: "What is six times seven?" },
    { at: "answered" },
  ]);
  assert.deepEqual(again?.["rest"], ["is ", "42."]);
  assert.deepEqual(again?.["kinds"], ["stepCompleted", "streamWritten"]);
  assert.equal(shaky?.["said"], "It is 42.");
});

test("the guide of keyed runs does what it says", async (t) => {
  const { left } = await runPage(t, "keyed-runs.md");
  const [bookings, files, written] = left;
  assert.deepEqual(bookings?.["sums"], [100, 350, 300]);
  assert.partialDeepStrictEqual(bookings?.["seen"], {
    state: { cents: 300, bookings: 3 },
    head: null,
    waiting: 0,
  });
  assert.equal(files?.["refused"], "CLAW-2041");
  assert.deepEqual(written?.["order"], ["other", "held"]);
});

test("the guide of tracing does what it says", async (t) => {
  const { left } = await runPage(t, "tracing.md");
  const [look = {}] = left;
  assert.match(String(look["seen"]), /^00-4bf92f3577b34da6a3ce929d0e0e4736-[0-9a-f]{16}-01$/);
  const names = ["order", "payment", "charge", "attempt 1", "attempt 2", "child:parcel"];
  assert.deepEqual([...(look["names"] as string[])].sort(), names.sort());
  const body = look["body"] as {
    resourceSpans: { scopeSpans: { spans: { spanId: string }[] }[] }[];
  };
  const spans = body.resourceSpans[0]?.scopeSpans[0]?.spans ?? [];
  assert.ok(spans.some(({ spanId }) => String(look["seen"]).includes(spanId)));
});

test("the guide of undo does what it says", async (t) => {
  const { left } = await runPage(t, "undo.md");
  const [trip = {}, offers = {}, ship = {}, stay = {}] = left;
  assert.partialDeepStrictEqual(trip["booked"], { status: "completed", output: "booked" });
  assert.partialDeepStrictEqual(trip["end"], { status: "compensated" });
  assert.equal((trip["end"] as { error: { code: string } }).error.code, "CLAW-2009");
  assert.deepEqual(trip["order"], ["cancel room 12, attempt 1", "give back seat 7A"]);
  assert.deepEqual(trip["report"], { undone: ["hotel", "flight"], failed: [], uncertain: [] });
  const undone = ["ask[1]/far", "ask[0]/near"];
  assert.deepEqual((offers["lost"] as { undone: string[] }).undone, undone);
  assert.partialDeepStrictEqual(ship["end"], { status: "cancelled" });
  assert.ok((ship["calls"] as string[]).includes("tidy/call the depot"));
  assert.deepEqual(stay["left"], { undone: [], failed: [], remaining: ["room"] });
});

test("the guide of events does what it says", async (t) => {
  const { left } = await runPage(t, "events.md");
  const [order = {}, late = {}] = left;
  assert.equal((order["again"] as { status: string }).status, "duplicate");
  assert.equal(order["cents"], 990);
  assert.deepEqual(late["seen"], [5, false, false]);
});

test("the table of contents names every guide", () => {
  const contents = readFileSync(join(HOUSE, "docs", "README.md"), "utf8");
  for (const guide of readdirSync(join(HOUSE, "docs", "guides"))) {
    assert.ok(contents.includes(`(guides/${guide})`), guide);
  }
});

test("the guide of moving runs does what it says", async (t) => {
  const { left } = await runPage(t, "moving-runs.md");
  const [moved = {}] = left;
  assert.partialDeepStrictEqual(moved["report"], { runs: 1, imported: 1, known: 0, held: 1 });
  assert.equal(moved["held"], "paused");
  assert.equal(moved["output"], 42);
});
