import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { openRuntime, type Claw } from "@claw/runtime";
import { workflow } from "@claw/sdk";
import { memoryStore } from "@claw/store-memory";
import { startGateway } from "../src/index.ts";

const TOKEN = "a-token-that-is-long-enough";

const counter = workflow("counter", async (ctx) => {
  let count = 0;
  ctx.query("count", () => count);
  ctx.update("add", {}, (_inner, by: number) => (count += by));
  ctx.update("decline", {}, () => {
    throw Object.assign(new Error("no funds"), { code: "NO_FUNDS" });
  });
  ctx.update("slow", {}, (inner) => inner.sleep("1d"));
  await ctx.receive("end");
});

const refund = workflow("refund", (ctx) =>
  ctx.approval({ type: "integer" }, { title: "How much?", assignees: ["ada"] }),
);

interface World {
  readonly claw: Claw;
  readonly post: (path: string, body?: unknown) => Promise<[number, Record<string, unknown>]>;
  readonly get: (path: string) => Promise<{ items: Record<string, unknown>[] }>;
}

async function open(t: TestContext): Promise<World> {
  const claw = await openRuntime({ store: memoryStore(), workflows: [counter, refund] });
  const gateway = await startGateway({ claw, port: 0, token: TOKEN });
  t.after(async () => {
    await gateway.stop();
    await claw.stop();
  });
  const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };
  const post: World["post"] = async (path, body = {}) => {
    const init = { method: "POST", headers, body: JSON.stringify(body) };
    const response = await fetch(`${gateway.address}/v1/runs/${path}`, init);
    return [response.status, (await response.json()) as Record<string, unknown>];
  };
  const get: World["get"] = async (path) =>
    (await (await fetch(`${gateway.address}/v1/${path}`, { headers })).json()) as never;
  return { claw, post, get };
}

test("updates and queries of a run are routes, and the id of an update makes it harmless to repeat", async (t) => {
  const { claw, post } = await open(t);
  const { id } = await claw.start(counter, null);
  assert.deepEqual(await post(`${id}/updates/add`, { input: 2, id: "a" }), [200, { value: 2 }]);
  assert.deepEqual(await post(`${id}/updates/add`, { input: 2, id: "a" }), [200, { value: 2 }]);
  assert.deepEqual(await post(`${id}/queries/count`), [200, { value: 2 }]);
});

test("a query or update that cannot be answered is a problem with its code", async (t) => {
  const { claw, post } = await open(t);
  const { id } = await claw.start(counter, null);
  const codeOf = async (path: string, body?: unknown): Promise<unknown[]> => {
    const [status, problem] = await post(path, body);
    return [status, problem["code"]];
  };
  assert.deepEqual(await codeOf(`${id}/queries/none`), [404, "CLAW-3006"]);
  assert.deepEqual(await codeOf(`${id}/updates/none`), [404, "CLAW-3006"]);
  assert.deepEqual(await codeOf("nobody/queries/count"), [404, "CLAW-3001"]);
  assert.deepEqual(await codeOf(`${id}/updates/slow`, { timeout: "20ms" }), [504, "CLAW-3011"]);
  assert.deepEqual(await codeOf(`${id}/updates/add`, { id: 1 }), [400, "CLAW-5002"]);
  const [status, problem] = await post(`${id}/updates/decline`);
  assert.deepEqual([status, problem["code"]], [500, "CLAW-3008"]);
  assert.deepEqual(problem["details"], {
    error: { name: "Error", message: "no funds", code: "NO_FUNDS" },
  });
});

test("approvals are routes: listed with their forms, decided once", async (t) => {
  const { claw, post, get } = await open(t);
  const { id } = await claw.start(refund, null);
  const { items } = await get("approvals?assignee=ada");
  const [one] = items;
  assert.deepEqual(
    [one?.["run"], one?.["title"], one?.["form"], one?.["expiresAt"]],
    [id, "How much?", { type: "integer" }, null],
  );
  assert.deepEqual((await get(`runs/${id}/approvals`)).items, items);
  const decision = { call: "approval", by: "ada", decision: "approve", value: 5 };
  const refused = async (change: object): Promise<unknown[]> => {
    const [status, problem] = await post(`${id}/approvals`, { ...decision, ...change });
    return [status, problem["code"]];
  };
  assert.deepEqual(await refused({ value: "much" }), [400, "CLAW-1004"]);
  assert.deepEqual(await refused({ by: "eve" }), [403, "CLAW-3014"]);
  assert.deepEqual(await refused({ decision: "maybe" }), [400, "CLAW-5002"]);
  assert.deepEqual(await post(`${id}/approvals`, decision), [200, { status: "accepted" }]);
  assert.deepEqual(await refused({}), [409, "CLAW-3013"]);
  assert.deepEqual(await claw.run(id).result(), { decision: "approve", by: "ada", value: 5 });
});
