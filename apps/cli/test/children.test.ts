import assert from "node:assert/strict";
import { test } from "node:test";
import { openPlace } from "./claw.ts";

const FLOWS = `
import { workflow } from "@claw/sdk";

export const part = workflow("part", (ctx) => ctx.receive("go"));
export const whole = workflow("whole", async (ctx) => {
  for (const onParentEnd of ["cancel", "abandon", "wait"] as const) {
    void ctx.child(part, 0, { onParentEnd });
  }
  await ctx.receive("end");
  return "done";
});
`;

interface Child {
  readonly id: string;
  readonly status: string;
  readonly onParentEnd: string;
}

test("show names the children of a run with their status, and its end waits for those that it must", async (t) => {
  const place = openPlace(t);
  place.write("flows/whole.ts", FLOWS);
  await place.going("dev", "flows", "--port", "0").said(/^ready /);
  const [id = ""] = (await place.claw("run", "whole")).stdout.split("\n");
  const children = async (): Promise<readonly Child[]> => {
    const { stdout } = await place.claw("show", id, "-o", "json");
    return (JSON.parse(stdout) as { children: Child[] }).children;
  };
  const until = async (expected: readonly string[]): Promise<readonly Child[]> => {
    for (let look = 0; look < 100; look++) {
      const found = await children();
      if (JSON.stringify(found.map(({ status }) => status)) === JSON.stringify(expected))
        return found;
    }
    return assert.fail(`children are ${JSON.stringify(await children())}`);
  };
  await until(["waiting", "waiting", "waiting"]);
  const text = (await place.claw("show", id)).stdout;
  assert.match(
    text,
    /children +run_\S+ {2}part {2}waiting\n +run_\S+ {2}part {2}waiting {2}\(abandon\)\n/,
  );
  await place.claw("signal", id, "end");
  const [, , waited] = await until(["cancelled", "waiting", "waiting"]);
  assert.equal((await place.shown(id)).endedAt, null);
  await place.claw("signal", waited?.id ?? "", "go", "--value", "1");
  await until(["cancelled", "waiting", "completed"]);
  assert.equal((await place.untilEnded(id)).status, "completed");
});
