import { event, workflow } from "@claw/sdk";

/** More than three commits answer. */
export const CROWD = 1_800;
/** What the crowd waits for, twice. */
export const Opened = event<string>("proof.opened");

/** Waits for two events; every eighth run only for the first. */
export const crowded = workflow("crowded", async (ctx, number: number) => {
  const first = await ctx.waitFor(Opened);
  if (number % 8 === 0) return [first];
  const second = await ctx.waitFor(Opened);
  return [first, second];
});
