import { workflow } from "@claw/sdk";

const say = (text: string): void => void process.stderr.write(`  ${text}\n`);

export const order = workflow("order", async (ctx, item: string) => {
  const stock = await ctx.run("reserve", (step) => {
    say(`reserving ${item} (attempt ${step.attempt})`);
    return { shelf: 7 };
  });
  await ctx.sleep("5s");
  const receipt = await ctx.run("charge", (step) => {
    say(`charging for ${item}, key ${step.key}`);
    return "receipt-1";
  });
  return { shelf: stock.shelf, receipt };
});
