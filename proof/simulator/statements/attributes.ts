import type { AttributeChanges } from "@claw/core/protocol";
import type { Context } from "@claw/sdk";
import type { Dice } from "../dice.ts";

/** Sets attributes of the run. */
export interface AttributesStatement {
  readonly op: "attributes";
  readonly values: AttributeChanges;
}

const STAGES = ["begun", "paid", "sent"];

export function makeAttributes(dice: Dice): AttributesStatement {
  const stage = dice.chance(0.2) ? null : dice.pick(STAGES);
  const level = dice.chance(0.5) ? {} : { level: dice.below(10) };
  return { op: "attributes", values: { stage, ...level } };
}

/** Sets them. */
export async function askAttributes({ values }: AttributesStatement, ctx: Context): Promise<"set"> {
  await ctx.attributes.set(values);
  return "set";
}
