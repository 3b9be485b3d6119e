import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { test } from "node:test";
import { encryption, openRuntime } from "@claw/runtime";
import { task, workflow } from "@claw/sdk";
import { sqliteStore } from "@claw/store-sqlite";
import { openPlace } from "./claw.ts";

const SECRET = "heron";

test("show, journal, list and tasks print <encrypted> for what they have no key for", async (t) => {
  const place = openPlace(t);
  const path = join(place.folder, "secret.db");
  const failing = workflow("failing", async (ctx, word: string) => {
    await ctx.run("say", () => word);
    await ctx
      .run("fail", () => Promise.reject(new Error(word)), {
        retry: { attempts: 2, initial: "1ms" },
      })
      .catch(() => null);
    return ctx.fail(word);
  });
  const refused = task("refused", { retry: { attempts: 1 } }, (word: string) => {
    throw new Error(word);
  });
  const claw = await openRuntime({
    store: sqliteStore({ path }),
    workflows: [failing],
    tasks: [refused],
    codec: encryption({ current: "k", keys: { k: randomBytes(32) } }),
  });
  const run = await claw.start(failing, SECRET);
  await run.ended();
  const { id } = await claw.enqueue(refused, SECRET);
  while ((await claw.deadLetters()).length === 0) await claw.flush();
  await claw.stop();
  for (const verb of [
    ["show", run.id],
    ["journal", run.id],
    ["list"],
    ["tasks"],
    ["tasks", id],
    ["dead-letters"],
  ]) {
    for (const output of ["table", "json"]) {
      const ended = await place.claw(...verb, "--store", path, "-o", output);
      assert.equal(ended.code, 0, ended.stderr);
      assert.match(ended.stdout, /<encrypted>/, `${verb[0]} ${output}`);
      assert.ok(!ended.stdout.includes(SECRET), `${verb[0]} ${output}`);
    }
  }
});
