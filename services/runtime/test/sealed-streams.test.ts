import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { workflow } from "@claw/sdk";
import { sqliteReader, sqliteStore } from "@claw/store-sqlite";
import { type Chunk, encryption, openRuntime } from "../src/index.ts";

const secret = "the secret is 4711";

const flow = workflow("flow", async (ctx) => {
  await ctx.stream("a").write(secret);
  await ctx.run("say", (step) => step.stream("b").write(secret.repeat(50)));
});

function openFile(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "claw-streams-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "store.db");
}

async function read(chunks: AsyncIterable<Chunk>): Promise<unknown[]> {
  const got: unknown[] = [];
  for await (const { value } of chunks) got.push(value);
  return got;
}

test("chunks are encrypted and large ones stand apart; readers with the key get them as written", async (t) => {
  const path = openFile(t);
  const options = {
    workflows: [flow],
    codec: encryption({ current: "k", keys: { k: Buffer.alloc(32, 7) } }),
    limits: { inlineBytesMax: 200 },
  };
  const claw = await openRuntime({ store: sqliteStore({ path }), ...options });
  const run = await claw.start(flow, undefined);
  const live = read(run.streams());
  await run.result();
  assert.deepEqual(await live, [secret, secret.repeat(50)]);
  const reader = sqliteReader({ path });
  const page = await reader.streams.read({ run: run.id, after: 0, limit: 10 });
  reader.close();
  const data = page?.blocks.map((block) => block.data) ?? [];
  assert.ok(
    data.every((text) => text.startsWith("~")),
    data.join("\n"),
  );
  assert.match(data[1] ?? "", /@\d+:/, "the second is a blob");
  await claw.stop();
  const again = await openRuntime({ store: sqliteStore({ path }), ...options });
  assert.deepEqual(await read(again.run(run.id).streams()), [secret, secret.repeat(50)]);
  await again.stop();
  const blind = await openRuntime({ store: sqliteStore({ path }), workflows: [flow] });
  t.after(() => blind.stop());
  await assert.rejects(read(blind.run(run.id).streams()), { code: "CLAW-4011" });
});
