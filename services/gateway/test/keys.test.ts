import assert from "node:assert/strict";
import { test } from "node:test";
import { openRuntime } from "@claw/runtime";
import { workflow } from "@claw/sdk";
import { memoryStore } from "@claw/store-memory";
import { startGateway } from "../src/index.ts";

const TOKEN = "a-token-of-these-tests";

const desk = workflow(
  "desk",
  { key: (room: string) => room, mailbox: { max: 0 }, initialState: 0 },
  async (ctx) => {
    ctx.state.set(ctx.state.get() + 1);
    await ctx.receive("done");
  },
);
const plain = workflow("plain", () => "done");

test("a full mailbox answers 429 with the time after which to try again, and a key can be looked at", async (t) => {
  const claw = await openRuntime({ store: memoryStore(), workflows: [desk, plain] });
  const gateway = await startGateway({ claw, port: 0, token: TOKEN });
  t.after(async () => {
    await gateway.stop();
    await claw.stop();
  });
  const ask = (path: string, body?: unknown): Promise<Response> =>
    fetch(`${gateway.address}${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const first = await ask("/v1/runs", { workflow: "desk", input: "a/b" });
  const { id } = (await first.json()) as { id: string };
  const full = await ask("/v1/runs", { workflow: "desk", input: "a/b" });
  assert.deepEqual([full.status, full.headers.get("retry-after")], [429, "1"]);
  assert.equal(((await full.json()) as { code: string }).code, "CLAW-2041");
  const shown = (await (await ask(`/v1/runs/${id}`)).json()) as { queue: unknown };
  assert.deepEqual(shown.queue, { key: "a/b", seq: 1, place: "head", behind: "" });
  await claw.signal(id, "done");
  await claw.run(id).result();
  const key = (await (await ask(`/v1/keys/desk/${encodeURIComponent("a/b")}`)).json()) as object;
  assert.deepEqual(key, {
    workflow: "desk",
    key: "a/b",
    state: 1,
    head: null,
    waiting: 0,
    next: [],
  });
  assert.equal((await ask("/v1/keys/plain/a")).status, 400);
  assert.equal((await ask("/v1/keys/nobody/a")).status, 404);
});
