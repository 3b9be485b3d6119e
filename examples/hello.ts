import { workflow } from "@claw/sdk";

export const hello = workflow("hello", async (ctx, input: { name: string }) => {
  const greeting = await ctx.run("greet", () => `Hello, ${input.name}`);
  await ctx.sleep("50ms");
  return `${greeting}, at ${ctx.now().toISOString()}`;
});
