// Wrong uses stand behind @ts-expect-error: the type check fails when one of them compiles.
import assert from "node:assert/strict";
import { test } from "node:test";
import { workflow } from "@claw/sdk";
import type { Claw } from "../src/index.ts";

// True only when neither type has more than the other.
type Same<A, B> = [A, B] extends [B, A] ? true : false;
const same = <A, B>(proven: Same<A, B>): void => assert.equal(proven, true);

const number = {
  "~standard": {
    version: 1,
    vendor: "test",
    types: { input: { n: "" }, output: { n: 0 } },
    validate: (value: unknown) => ({ value: { n: Number((value as { n: string }).n) } }),
  },
} as const;
const plain = workflow("plain", (_ctx, order: { readonly id: number }) => new Date(order.id));
const strict = workflow("strict", { input: number }, (_ctx, input) => input.n);
const none = workflow("none", (_ctx, _input: undefined) => undefined);

async function clients(claw: Claw): Promise<void> {
  const run = await claw.start(plain, { id: 1 });
  const output = await run.result();
  same<typeof output, string>(true);
  // @ts-expect-error the input of a start has its type
  await claw.start(plain, { id: "1" });
  // @ts-expect-error the input is what the schema takes
  await claw.start(strict, { n: 5 });
  await claw.start(none, undefined);
  await claw.start("by-name", { anything: true });
  const ended = await (await claw.start(strict, { n: "5" })).ended();
  if (ended.status === "completed") same<typeof ended.output, number>(true);
  else same<typeof ended.error.code, string>(true);
}

test("a client is typed by the workflow that it starts, and wrong inputs do not compile", () => {
  // The type check of the house is the proof; nothing of this runs.
  assert.equal(typeof clients, "function");
});
