import assert from "node:assert/strict";
import { test } from "node:test";
import type { OtlpTraces, TraceSpan } from "@claw/core/protocol";
import { openPlace } from "./claw.ts";

const FLOWS = `
import { workflow } from "@claw/sdk";

export const parcel = workflow("parcel", (ctx) => ctx.run("label", () => "7"));
export const order = workflow("order", async (ctx) => {
  await ctx.span("payment", { cents: 5 }, (inner) => inner.run("charge", ({ attempt }) => {
    if (attempt === 1) throw new Error("the bank is busy");
  }, { retry: { initial: "10ms" } }));
  await ctx.child(parcel, undefined);
  await ctx.receive("end");
});
`;

test("trace shows a run with those that it started, and writes what a collector takes", async (t) => {
  const place = openPlace(t);
  place.write("flows/order.ts", FLOWS);
  await place.going("dev", "flows", "--port", "0").said(/^ready /);
  const run = (await place.claw("run", "order")).stdout.trim();
  for (let look = 0; look < 100; look++) {
    if ((await place.shown(run)).journal.some(({ kind }) => kind === "childEnded")) break;
  }
  const tree = await place.claw("trace", run);
  assert.equal(tree.code, 0, tree.stderr);
  const names = tree.stdout.split("\n").map((line) => /^( *)(\S+(?: \d)?)/.exec(line)?.[0] ?? "");
  assert.deepEqual(names.slice(3, 11), [
    "order@1",
    "  payment",
    "    charge",
    "      attempt 1",
    "      attempt 2",
    "  child:parcel",
    "    parcel@1",
    "      label",
  ]);
  assert.match(tree.stdout, new RegExp(`^${run} {2}trace [0-9a-f]{32}\\n`));
  assert.match(tree.stdout, /payment .* cents=5$/m);
  assert.match(tree.stdout, /attempt 1 .* Error: the bank is busy$/m);
  const otlp = JSON.parse((await place.claw("trace", run, "-o", "json")).stdout) as OtlpTraces;
  const spans = otlp.resourceSpans[0]?.scopeSpans[0]?.spans ?? [];
  assert.equal(spans.length, 8);
  assert.equal(new Set(spans.map(({ traceId }) => traceId)).size, 1);
  const alone = await place.claw("trace", run, "--alone", "-o", "jsonl");
  const lines = alone.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as TraceSpan);
  assert.equal(lines.length, 6);
  assert.equal(lines[0]?.status, "open");
  assert.equal((await place.claw("trace", "run_zzz")).code, 3);
});
