import assert from "node:assert/strict";
import { test } from "node:test";
import { openPlace } from "./claw.ts";

const FLOW = `
import { task, workflow } from "@claw/sdk";
export const ask = workflow("ask", async (ctx) => {
  await ctx.approval({ type: "integer" }, { title: "How much?" });
});
export const lots = workflow("lots", { key: () => "k" }, async (ctx) => { ctx.state.set(7); });
export const job = task("job", { keep: "all" }, () => 1);
`;

test("verbs of one namespace neither see nor touch what is of another, read or written", async (t) => {
  const place = openPlace(t);
  place.write("flows/ask.ts", FLOW);
  const owner = place.going("start", "flows", "--port", "0", "--namespace", "shop");
  await owner.said(/^ready .*, namespace shop\)/);
  const shop = (...args: string[]) => place.claw(...args, "--namespace", "shop", "-o", "jsonl");
  const [started] = (await shop("run", "ask")).stdout.split("\n");
  const { id: run } = JSON.parse(started ?? "") as { id: string };
  const { id: task } = JSON.parse((await shop("enqueue", "job")).stdout) as { id: string };
  assert.equal((await shop("run", "lots", "--wait")).code, 0);
  assert.equal((await shop("state", "lots", "k")).code, 0);
  for (let look = 0; (await shop("approvals")).stdout === ""; look++) assert.ok(look < 100);

  assert.equal((await place.claw("list", "-o", "jsonl")).stdout, "");
  assert.equal((await place.claw("tasks", "-o", "jsonl")).stdout, "");
  assert.equal((await place.claw("tasks", "--counts", "-o", "jsonl")).stdout, "");
  assert.equal((await place.claw("approvals", "-o", "jsonl")).stdout, "");
  for (const look of [
    ["show", run],
    ["show", "@last"],
    ["journal", run],
    ["trace", run],
    ["watch", run],
    ["stream", run],
    ["export", run],
    ["show", run.slice(0, 20)],
  ]) {
    assert.equal((await place.claw(...look)).code, 3, look.join(" "));
  }
  assert.equal((await place.claw("tasks", task)).code, 3);
  assert.equal((await place.claw("state", "lots", "k")).code, 3);
  assert.ok(!(await place.claw("export")).stdout.includes(run), "an export of all");
  for (const write of [
    ["cancel", run],
    ["pause", run],
    ["run", "ask"],
    ["send", "a.b"],
    ["redrive", "--all"],
  ]) {
    const { code, stderr } = await place.claw(...write);
    assert.deepEqual([code, /CLAW-5071/.test(stderr)], [5, true], write.join(" "));
  }
  owner.kill("SIGTERM");
  await owner.ended();
  // Nobody owns the store now: each of these does, for its own namespace.
  assert.equal((await place.claw("cancel", run)).code, 3);
  assert.equal((await place.claw("approve", run, "approval", "--value", "1")).code, 3);
  assert.equal((await place.claw("terminate", run)).code, 3);
  assert.equal((await shop("terminate", run)).code, 0);
});

test("CLAW_NAMESPACE stands for the option, and a name that cannot be is refused", async (t) => {
  const place = openPlace(t, { CLAW_NAMESPACE: "shop" });
  place.write(
    "flow.ts",
    `import { workflow } from "@claw/sdk";
export const one = workflow("one", () => 1);
`,
  );
  await place.going("start", "flow.ts", "--port", "0").said(/^ready .*, namespace shop\)/);
  assert.equal((await place.claw("run", "one", "--wait")).code, 0);
  assert.equal((await place.listed()).length, 1);
  assert.equal((await place.listed("--namespace", "default")).length, 0);
  assert.equal((await place.claw("list", "--namespace", "a/b")).code, 11);
});
