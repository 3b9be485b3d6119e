// Wrong uses stand behind @ts-expect-error: the type check fails when one of them compiles.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as v from "valibot";
import { type Context, event, type Stored, task, type Waited, workflow } from "../src/index.ts";

// True only when neither type has more than the other.
type Same<A, B> = [A, B] extends [B, A] ? true : false;
const same = <A, B>(proven: Same<A, B>): void => assert.equal(proven, true);

interface Order {
  readonly id: number;
  readonly at: Date;
  readonly items: readonly { readonly sku: string; readonly when?: Date }[];
}

const Input = v.object({ n: v.pipe(v.string(), v.transform(Number)) });
const charge = task("charge", {}, (order: Order) => ({ paid: true, at: order.at }));
const parsed = task("parsed", { input: Input }, (input) => input.n);
const plain = workflow("plain", async (_ctx, order: Order) => order.at);
const strict = workflow("strict", { input: Input }, (_ctx, input) => input.n);
const Paid = event<{ order: number; at: Date }>("paid");
const Checked = event("checked", v.object({ n: v.number() }));

/** What is stored comes back as JSON has it. */
function storedTypes(): void {
  same<Stored<Date>, string>(true);
  same<Stored<number>, number>(true);
  same<Stored<"a" | null | undefined>, "a" | null | undefined>(true);
  same<Stored<{ a: Date; b: { c: Date[] } }>, { a: string; b: { c: string[] } }>(true);
  same<Stored<[number, Date]>, [number, string]>(true);
  same<Stored<() => 1>, never>(true);
  same<Stored<Order>["items"][number]["when"], string | undefined>(true);
  same<Stored<unknown>, unknown>(true);
}

async function calls(ctx: Context, order: Order): Promise<void> {
  same<Awaited<ReturnType<typeof ctx.sleep>>, void>(true);
  const date = await ctx.run("a", () => new Date());
  same<typeof date, string>(true);
  const paid = await ctx.call(charge, order);
  same<typeof paid, { paid: boolean; at: string }>(true);
  // @ts-expect-error the input of a task has its type
  await ctx.call(charge, { id: 1 });
  // @ts-expect-error the input is what the schema takes, not what it gives
  await ctx.call(parsed, { n: 1 });
  same<Awaited<ReturnType<typeof ctx.call<{ n: number }, number, { n: string }>>>, number>(true);
  // @ts-expect-error a workflow is no task
  await ctx.call(plain, order);
  const answer = await ctx.child(plain, order);
  same<typeof answer, string>(true);
  // @ts-expect-error the input of a child has its type
  await ctx.child(plain, { id: "1" });
  // @ts-expect-error the input of a detached run has its type
  await ctx.start(strict, { n: 5 });
  const id = await ctx.start(strict, { n: "5" });
  same<typeof id, string>(true);
  // @ts-expect-error a step's name is text
  await ctx.run(5, () => 1);
  // @ts-expect-error a retry has a known backoff
  await ctx.run("a", () => 1, { retry: { backoff: "linear" } });
}

async function waits(ctx: Context): Promise<void> {
  const bare = await ctx.waitFor(Paid);
  same<typeof bare, { order: number; at: string }>(true);
  const timed = await ctx.waitFor(Paid, { match: { order: 1 }, timeout: "1h" });
  same<typeof timed, Waited<{ order: number; at: string }>>(true);
  // @ts-expect-error a wait with a timeout answers a tagged result, to be looked at first
  same<typeof timed.value, number>(false);
  if (timed.ok) same<typeof timed.value.at, string>(true);
  else same<typeof timed.reason, "timeout">(true);
  // @ts-expect-error a match has scalars
  await ctx.waitFor(Paid, { match: { order: [1] } });
  const untyped = await ctx.receive("go");
  same<typeof untyped, unknown>(true);
  const typed = await ctx.receive("go", { schema: v.number() });
  same<typeof typed, number>(true);
  const late = await ctx.receive("go", { schema: v.number(), timeout: 5 });
  same<typeof late, Waited<number>>(true);
  await ctx.emit(Checked, { n: 1 });
  // @ts-expect-error the data of an event have its type
  await ctx.emit(Checked, { n: "1" });
}

async function groups(ctx: Context): Promise<void> {
  const [n, text] = await ctx.all("all", [(c) => c.run("n", () => 1), () => "x" as const]);
  same<typeof n, number>(true);
  same<typeof text, "x">(true);
  // @ts-expect-error a promise is no branch: its call was made outside of it
  await ctx.all("all", [ctx.run("n", () => 1)]);
  // @ts-expect-error a promise is no branch
  await ctx.race("race", [ctx.sleep(1)]);
  const first = await ctx.race("race", [(c) => c.run("n", () => 1), () => "x" as const]);
  same<typeof first, number | "x">(true);
  const squares = await ctx.map("m", [1, 2], async (_c, item) => item * item, {
    key: (item) => item,
  });
  same<typeof squares, number[]>(true);
  const named = await ctx.map("m", ["a"], { concurrency: 2 }, (_c, item, at) => `${item}${at}`);
  same<typeof named, string[]>(true);
  const inner = await ctx.scope("s", async (c) => (await c.run("n", () => [1])).length, {
    shield: true,
  });
  same<typeof inner, number>(true);
  same<ReturnType<typeof ctx.fail>, never>(true);
}

function definitions(): void {
  // @ts-expect-error the code of a workflow takes what its schema gives
  workflow("w", { input: Input }, (_ctx, input: { n: string }) => input);
  // @ts-expect-error the body of a task gives what its output schema takes
  task("t", { output: v.number() }, () => "text");
  // @ts-expect-error an effect is one of four words
  task("t", { effect: "maybe" }, () => 1);
  // @ts-expect-error a trigger is an event
  workflow("w", { on: "paid" }, () => 1);
}

test("types say what is stored, and wrong uses do not compile", () => {
  // The type check of the house is the proof; nothing of this runs.
  for (const part of [storedTypes, calls, waits, groups, definitions]) {
    assert.equal(typeof part, "function");
  }
});
