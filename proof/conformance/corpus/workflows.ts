import { type AnyWorkflow, type Context, event, workflow } from "@claw/sdk";

/**
 * The workflows whose runs lie in the stores of this folder. They are never changed: their runs were recorded
 * with them. While `isMaking` they stand still where a store shall keep them.
 */
export const corpus: { isMaking: boolean } = { isMaking: false };

const Paid = event("corpus.paid");

const quick = workflow("quick", async (ctx, name: string) => ctx.run("greet", () => `hi ${name}`));
const refused = workflow("refused", (ctx) => ctx.fail("no stock"));
const nap = workflow("nap", async (ctx) => {
  const before = await ctx.run("before", () => 1);
  await ctx.sleep("1h");
  return before + (await ctx.run("after", () => 2));
});
const ask = workflow("ask", async (ctx) => {
  await ctx.run("prepare", () => "asked");
  return ctx.receive("answer");
});
const wait = workflow("wait", async (ctx) => {
  const paid = await ctx.waitFor(Paid, { match: { order: 7 }, timeout: "3650d" });
  return paid.ok;
});
const family = workflow("family", async (ctx): Promise<unknown> => ctx.child(ask, undefined));
const busy = workflow("busy", async (ctx) => {
  const one = await ctx.run("one", () => 1);
  return one + (await ctx.run("two", () => (corpus.isMaking ? new Promise<number>(() => {}) : 2)));
});
const typo = workflow("typo", async (ctx: Context) => {
  await ctx.run("sound", () => 1);
  if (corpus.isMaking) throw new TypeError("a mistake that was corrected later");
  return ctx.receive("late");
});

/** All of them, as a runtime takes them. */
export const workflows: readonly AnyWorkflow[] = [
  quick,
  refused,
  nap,
  ask,
  wait,
  family,
  busy,
  typo,
];
