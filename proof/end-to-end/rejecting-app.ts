// Run by rejection.test.ts as a process of its own: what nobody handles ends processes, not tests.
import { openRuntime } from "@claw/runtime";
import { workflow } from "@claw/sdk";
import { memoryStore } from "@claw/store-memory";

const [, , mode = ""] = process.argv;

const ignored = (error: Error): void => {
  void Promise.reject(error);
};

const good = workflow("good", async (ctx) => {
  await ctx.run("a", () => new Promise((resolve) => setTimeout(resolve, 20)));
  return "good";
});
const inCode = workflow("in-code", async (ctx) => {
  await ctx.run("a", () => 1);
  ignored(new Error("nobody listens"));
  await ctx.receive("never");
});
const mistake = workflow("mistake", async (ctx) => {
  ignored(new TypeError("a mistake that nobody listens to"));
  await ctx.receive("never");
});
const inBody = workflow("in-body", async (ctx) => {
  await ctx.run("a", () => {
    setTimeout(() => ignored(new Error("from a body")), 1);
    return new Promise(() => {});
  });
});
const unheard = workflow("unheard", async (ctx) => {
  // Calls and groups of ctx that nobody awaits are no unhandled rejections, even when they fail.
  void ctx.run("fails", () => Promise.reject(new Error("x")), { retry: { attempts: 1 } });
  void ctx.all("all", [
    (c) => c.run("b", () => Promise.reject(new Error("y")), { retry: { attempts: 1 } }),
  ]);
  void ctx.race("race", []);
  void ctx.map("map", [1], () => Promise.reject(new Error("z")));
  void ctx.receive("word", { timeout: 0 });
  await ctx.run("quick", () => new Promise((resolve) => setTimeout(resolve, 20)));
  return "done";
});

const workflows = [good, inCode, mistake, inBody, unheard];
const claw = await openRuntime({ store: memoryStore(), workflows });
const others = await claw.start(good, null);
for (const flow of [inCode, inBody, unheard]) {
  const ended = await (await claw.start(flow.name, null)).ended();
  console.log(`${flow.name}: ${ended.status === "failed" ? ended.error.message : ended.status}`);
}
const held = await claw.start(mistake, null);
for (;;) {
  const found = await claw.find(held.id);
  if (found?.status === "bug") {
    console.log(`mistake: ${found.status} ${found.reason.split("\n")[0]}`);
    break;
  }
  await new Promise((resolve) => setTimeout(resolve, 1));
}
console.log(`others: ${String(await others.result())}`);
if (mode === "own") ignored(new Error("of no run"));
await new Promise((resolve) => setTimeout(resolve, 5));
await claw.stop();
console.log("stopped");
