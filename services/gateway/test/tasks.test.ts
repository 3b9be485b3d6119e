import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { openRuntime } from "@claw/runtime";
import { task } from "@claw/sdk";
import { memoryStore } from "@claw/store-memory";
import { startGateway } from "../src/index.ts";
import type { QueueView, TaskView } from "../src/wire.ts";

const TOKEN = "a-token-that-is-long-enough";

type Ask = (
  path: string,
  body?: unknown,
) => Promise<{ readonly status: number; readonly body: Readonly<Record<string, unknown>> }>;

async function open(t: TestContext): Promise<Ask> {
  const job = task<number>("job", { queue: "q", keep: "all", retry: { attempts: 1 } }, (n) => {
    if (n < 0) throw Object.assign(new Error("less than nothing"), { code: "LESS" });
    return n * n;
  });
  const claw = await openRuntime({ store: memoryStore(), workflows: [], tasks: [job] });
  const gateway = await startGateway({ claw, port: 0, token: TOKEN });
  t.after(async () => {
    await gateway.stop();
    await claw.stop();
  });
  return async (path, body) => {
    const response = await fetch(`${gateway.address}/v1/${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
}

async function ended(ask: Ask, id: string): Promise<TaskView> {
  for (;;) {
    const { body } = await ask(`tasks/${id}`);
    if (body["status"] !== "ready") return body as Readonly<Record<string, unknown>> & TaskView;
  }
}

test("a task is enqueued once for its key, worked off, and shown with what it gave", async (t) => {
  const ask = await open(t);
  const body = { task: "job", input: 3, priority: 5, idempotencyKey: "k" };
  const first = await ask("tasks", body);
  assert.deepEqual([first.status, first.body["existing"]], [201, false]);
  const again = await ask("tasks", body);
  assert.deepEqual([again.status, again.body["existing"]], [200, true]);
  const task = await ended(ask, String(first.body["id"]));
  assert.deepEqual([task.status, task.output, task.priority], ["completed", 9, 5]);
  const queues = (await ask("queues")).body["items"] as QueueView[];
  assert.deepEqual([queues[0]?.queue, queues[0]?.completed], ["q", 1]);
});

test("dead letters are listed by their error and redriven; what is not valid is refused with its code", async (t) => {
  const ask = await open(t);
  const ids: string[] = [];
  for (const input of [-1, -2]) {
    ids.unshift(String((await ask("tasks", { task: "job", input })).body["id"]));
  }
  for (const id of ids) assert.equal((await ended(ask, id)).error?.code, "LESS");
  const page = await ask("tasks?status=dead&error=LESS&limit=1");
  assert.deepEqual(
    (page.body["items"] as TaskView[]).map(({ id }) => id),
    [ids[0]],
  );
  const next = await ask(`tasks?status=dead&limit=1&before=${String(page.body["next"])}`);
  assert.deepEqual(
    (next.body["items"] as TaskView[]).map(({ id }) => id),
    [ids[1]],
  );
  const preview = await ask("redrive", { dryRun: true, queue: "q" });
  assert.deepEqual(preview.body, { dryRun: true, count: 2, ids });
  assert.equal((await ask(`tasks/${ids[0]}/redrive`, {})).status, 202);
  for (const [path, body, code] of [
    ["tasks/task_zzz", undefined, "CLAW-3071"],
    ["tasks/nonsense/redrive", {}, "CLAW-3015"],
    ["redrive", {}, "CLAW-5002"],
    ["redrive", { dryRun: false, limit: 0 }, "CLAW-5002"],
    ["tasks", { input: 1 }, "CLAW-5002"],
    ["tasks", { task: "job", priority: "1" }, "CLAW-5002"],
    ["tasks", { task: "job", delay: "soon" }, "CLAW-1007"],
    ["tasks", { task: "nobody" }, "CLAW-1003"],
    ["tasks?status=lost", undefined, "CLAW-5002"],
  ] as const) {
    assert.equal((await ask(path, body)).body["code"], code, path);
  }
});
