/** A file of workflows as a user writes it; lies in the test's own folder, outside of the checkout. */
export const FLOWS = `
import { event, workflow } from "@claw/sdk";
import { LABEL } from "./label.ts";

const Opened = event("com.shop.order.opened");
const Paid = event("com.shop.order.paid");

export const order = workflow("order", { on: Opened }, async (ctx, input: { order: number }) => {
  const paid = await ctx.waitFor(Paid, { match: { order: input.order }, timeout: "1d" });
  return paid.ok ? "paid" : "late";
});

export const several = [
  workflow("greet", async (ctx, name: string) =>
    ctx.run("greeting", ({ attempt }) => {
      if (name === "twice" && attempt === 1) throw new Error("not yet");
      return LABEL + " " + name;
    }, { retry: { initial: "10ms" } })),
  workflow("ask", async (ctx) => {
    const answer = await ctx.receive("answer", { timeout: "1d" });
    return answer.ok ? answer.value : null;
  }),
  workflow("basket", async (ctx) => {
    const items: string[] = [];
    ctx.query("items", () => items);
    ctx.update("add", {
      validate: (item: string) => { if (items.includes(item)) throw new Error("is there already"); },
    }, async (inner, item: string) => items.push(await inner.run("add", () => item)));
    await ctx.receive("close");
    return items;
  }),
  workflow("refund", async (ctx) =>
    ctx.approval({ type: "integer" }, { title: "How much?", assignees: ["ada"], timeout: "1d" })),
  workflow("fail", async (ctx) => ctx.fail("because it must")),
  workflow("typo", async (ctx) => {
    await ctx.run("before", () => 1);
    return (undefined as unknown as { field: string }).field;
  }),
];
`;

/** What FLOWS imports; changing it is a change of the workflows. */
export const LABEL = 'export const LABEL: string = "hello";\n';
