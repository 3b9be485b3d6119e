import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryDisk, memoryStore } from "@claw/store-memory";
import { workflow } from "@claw/sdk";
import { World } from "./world.ts";

const FACTS_MAX = 20_000;

test("a step begins although another branch of its run writes facts while commits are under way", async (t) => {
  const disk = new MemoryDisk();
  const async = (complete: () => void): void => void setTimeout(complete, 1);
  const world = new World(t, () => memoryStore({ disk, async }));
  const body = { isBegun: false };
  const both = workflow("both", async (ctx) => {
    let written = 0;
    await ctx.all("both", [
      (inner) =>
        inner.run("s", () => {
          body.isBegun = true;
        }),
      async (inner) => {
        // A fact is answered without the outside: nothing of this loop waits for a commit.
        while (!body.isBegun && written < FACTS_MAX) {
          await inner.attributes.set({ written: ++written });
        }
      },
    ]);
    return written;
  });
  const claw = await world.open([both]);
  const written = Number(await world.output(await claw.start(both, undefined)));
  assert.ok(written < FACTS_MAX, "the step began after all facts");
});
