import { type AnyWorkflow, workflow } from "@claw/sdk";
import type { NodePlan } from "./nodes-process.ts";
import type { Witness } from "./witness.ts";

/** Signals that each run of `mail` gets, one acknowledged before the next is sent. */
export const NOTES = 4;

/** What nodes run. Each body tells the witness that it begins. */
export function nodeWorkflows(
  { name, hangs }: Pick<NodePlan, "name" | "hangs">,
  witness: Witness,
): readonly AnyWorkflow[] {
  const begin = (key: string): void => witness.write(`S ${name} ${key} ${Date.now()}`);
  const mail = workflow("mail", async (ctx, key: string) => {
    const seen: string[] = [];
    ctx.query("seen", () => seen);
    await ctx.run("open", ({ key: id }) => begin(id));
    for (let note = 0; note < NOTES; note++) {
      seen.push(await ctx.receive<string>("note"));
      await ctx.run("note", async ({ key: id }) => {
        begin(id);
        await new Promise((resolve) => setTimeout(resolve, 3));
      });
      if (note === 1) await ctx.sleep(20);
    }
    return `${key}: ${seen.join(" ")}`;
  });
  const held = workflow("held", async (ctx, key: string) => {
    await ctx.run("first", ({ key: id }) => begin(id));
    await ctx.run("second", ({ key: id }) => {
      begin(id);
      return hangs ? new Promise(() => {}) : null;
    });
    return key;
  });
  return [mail, held];
}
