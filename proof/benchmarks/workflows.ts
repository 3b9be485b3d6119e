import { type Workflow, workflow } from "@claw/sdk";
import * as v from "valibot";

/** `count` no-op durable steps in a row, with checked input and output. */
export function steps(name: string, count: number): Workflow<number, number, number> {
  return workflow(name, { input: v.number(), output: v.number() }, async (ctx, input) => {
    let sum = input;
    for (let at = 0; at < count; at++) sum += await ctx.run(`s${at}`, () => 1);
    return sum;
  });
}
