import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { openRuntime, type Claw } from "@claw/runtime";
import { workflow } from "@claw/sdk";
import { memoryStore } from "@claw/store-memory";
import { startGateway } from "../src/index.ts";

const TOKEN = "a-token-that-is-long-enough";
const patient = workflow("patient", async (ctx) => {
  const a = await ctx.run("a", () => 1);
  return [a, await ctx.receive("answer")];
});

type Post = (
  path: string,
  body?: unknown,
) => Promise<{ readonly status: number; readonly body: Readonly<Record<string, unknown>> }>;

async function open(t: TestContext): Promise<{ claw: Claw; post: Post; run: string }> {
  const claw = await openRuntime({ store: memoryStore(), workflows: [patient] });
  const gateway = await startGateway({ claw, port: 0, token: TOKEN });
  t.after(async () => {
    await gateway.stop();
    await claw.stop();
  });
  const post: Post = async (path, body = {}) => {
    const response = await fetch(`${gateway.address}/v1/runs/${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const { id } = await claw.start(patient, null);
  await claw.flush();
  return { claw, post, run: id };
}

test("pause, resume and terminate are accepted, and refused with their codes", async (t) => {
  const { claw, post, run } = await open(t);
  assert.deepEqual(await post(`${run}/pause`, { note: "look" }), {
    status: 202,
    body: { status: "accepted" },
  });
  const paused = await claw.find(run);
  assert.deepEqual([paused?.status, paused?.reason], ["paused", "look"]);
  const release = await post(`${run}/release`);
  assert.deepEqual([release.status, release.body["code"]], [409, "CLAW-2015"]);
  assert.deepEqual(release.body["details"], { status: "paused" });
  assert.equal((await post(`${run}/resume`)).status, 202);
  assert.equal((await post(`${run}/terminate`, { reason: "no" })).status, 202);
  assert.equal((await claw.find(run))?.status, "terminated");
  const again = await post(`${run}/terminate`);
  assert.deepEqual([again.status, again.body["code"]], [409, "CLAW-3002"]);
});

test("skip names its call in the path and needs the operator's name", async (t) => {
  const { claw, post, run } = await open(t);
  const path = `${run}/calls/${encodeURIComponent("signal:answer")}/skip`;
  const nobody = await post(path, { value: 1 });
  assert.deepEqual([nobody.status, nobody.body["code"]], [400, "CLAW-5002"]);
  assert.equal((await post(path, { value: 7, by: "ada" })).status, 202);
  assert.deepEqual(await claw.run(run).result(), [1, 7]);
});

test("fork and retry answer the new run with its place", async (t) => {
  const { claw, post, run } = await open(t);
  const refused = await post(`${run}/retry`);
  assert.deepEqual([refused.status, refused.body["code"]], [409, "CLAW-2015"]);
  const forked = await post(`${run}/fork`, { from: "a" });
  assert.deepEqual([forked.status, forked.body["from"], forked.body["again"]], [201, "a", []]);
  assert.equal((await claw.find(String(forked.body["id"])))?.cause, run);
  await claw.terminate(run);
  const retried = await post(`${run}/retry`);
  assert.deepEqual([retried.status, retried.body["from"]], [201, ""]);
  const missing = await post(`${run}/fork`);
  assert.deepEqual([missing.status, missing.body["code"]], [400, "CLAW-5002"]);
});
