import assert from "node:assert/strict";
import { isClawError, type ErrorCode } from "@claw/core/protocol";
import { type AnyWorkflow, event, workflow } from "@claw/sdk";
import type { Claw, ExportBytes } from "../src/index.ts";
import { LineWriter } from "../src/moves/export-lines.ts";
import type { World } from "./world.ts";

export async function textOf(lines: AsyncIterable<string>): Promise<string> {
  let text = "";
  for await (const chunk of lines) text += chunk;
  return text;
}

export function bytesOf(text: string, size = 10_000): ExportBytes {
  return async function* () {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  };
}

export async function refused(importing: Promise<unknown>, code: ErrorCode): Promise<string> {
  try {
    await importing;
  } catch (error) {
    assert.ok(isClawError(error, code), String(error));
    return error.detail;
  }
  return assert.fail(`not refused with ${code}`);
}

const Paid = event("moves.paid");
const Ping = event("moves.ping");
/** Where a run stands in a trace of somebody else. */
export const TRACED = {
  traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
  tracestate: "a=1",
} as const;

/** Names of the bodies that ran, in this process. */
export const bodies: string[] = [];

const body = (name: string): string => {
  bodies.push(name);
  return name;
};

const sleeper = workflow("sleeper", async (ctx) => {
  await ctx.run("before", () => body("before"));
  await ctx.sleep("2d");
  return ctx.run("after", () => body("after"));
});
export const asker = workflow("asker", async (ctx) => {
  const first = await ctx.receive<number>("first");
  return first + (await ctx.receive<number>("second"));
});
const family = workflow("family", async (ctx): Promise<unknown> => {
  const [one, two] = await ctx.all("both", [
    (ctx) => ctx.child(quick, 1),
    (ctx) => ctx.child(asker, undefined, { key: "slow" }),
  ]);
  return [one, two];
});
export const quick = workflow("quick", async (ctx, n: number) => ctx.run("double", () => n * 2));
const permit = workflow("permit", async (ctx) => {
  const asked = await ctx.approval<{ cents: number }>(
    { type: "object", properties: { cents: { type: "integer" } } },
    { title: "Pay?" },
  );
  return asked.value?.cents;
});
const listener = workflow("listener", async (ctx) => {
  const heard: unknown[] = [];
  for (let at = 0; at < 3; at++) heard.push(await ctx.waitFor(Ping, { match: { to: "x" } }));
  return heard;
});
const lives = workflow("lives", async (ctx, life: number): Promise<unknown> => {
  await ctx.run("live", () => life);
  if (life < 3) return ctx.continueAs(life + 1);
  return [life, await ctx.receive("go")];
});
export const large = workflow("large", async (ctx) => {
  const value = await ctx.run("much", () => "x".repeat(3_000_000));
  await ctx.receive("go");
  return value.length;
});
const tagged = workflow("tagged", async (ctx) => {
  await ctx.attributes.set({ color: "red" });
  await ctx.receive("go");
  return "tagged";
});
const looping = workflow("looping", async (ctx) =>
  ctx.checkpoint("loop", 0, async (ctx, sum: number) => {
    const got = await ctx.waitFor(Paid, { match: { order: 1 } });
    const next = sum + (got as { cents: number }).cents;
    return next >= 6 ? { done: next } : { next };
  }),
);
const undone = workflow("undone", async (ctx) => {
  await ctx.run("pay", () => body("pay"), { undo: () => void body("refund") });
  await ctx.receive("go");
  return ctx.fail("no stock");
});
const counter = workflow(
  "counter",
  { key: (input: { key: string; by: number }) => input.key },
  async (ctx, { by }): Promise<number> => {
    const before = (ctx.state.get() as number | undefined) ?? 0;
    ctx.state.set(before + by);
    if (by === 2) await ctx.receive("go");
    return before + by;
  },
);
const teller = workflow("teller", async (ctx) => {
  const out = ctx.stream("lines");
  for (const line of ["one", "two"]) await out.write(line);
  await ctx.receive("go");
  await out.write("three");
  return "told";
});

export const ALL: readonly AnyWorkflow[] = [
  sleeper,
  asker,
  family,
  quick,
  permit,
  listener,
  lives,
  large,
  tagged,
  looping,
  undone,
  counter,
  teller,
];

/** A store with runs that wait for everything, exported. */
export async function madeExport(
  world: World,
): Promise<{ claw: Claw; text: string; ids: Map<string, string> }> {
  const claw = await world.open(ALL);
  const ids = new Map<string, string>();
  // Numbers of events in this store are greater than in the other one.
  for (let at = 0; at < 20; at++) await claw.publish({ type: "moves.noise", data: at });
  const closed = await claw.start(quick, 4, { idempotencyKey: "four", ...TRACED });
  await world.output(closed);
  ids.set("closed", closed.id);
  const inputs: Record<string, unknown> = { lives: 1, counter: { key: "a", by: 2 } };
  await world.output(await claw.start(counter, { key: "a", by: 5 }));
  for (const flow of ALL) {
    if (flow === quick) continue;
    const run = await claw.start(flow.name, inputs[flow.name]);
    ids.set(flow.name, run.id);
    if (flow === asker) await claw.signal(run.id, "first", 1);
  }
  ids.set("queued", (await claw.start(counter, { key: "a", by: 3 })).id);
  await world.calm();
  world.clock.advance(2_000);
  for (const [name, id] of ids) {
    if (name === "closed") continue;
    const rests = name === "queued" ? "queued" : "waiting";
    await world.soon(async () => (await claw.find(id))?.status === rests, `${name} ${rests}`);
  }
  await claw.publish({ type: "moves.ping", id: "p1", data: { to: "x", n: 1 } });
  await claw.publish({ type: "moves.paid", id: "c1", data: { order: 1, cents: 1 } });
  await world.calm();
  await claw.signal(ids.get("asker") ?? "", "third", "unread");
  await world.calm();
  return { claw, text: await textOf(claw.exportRuns()), ids };
}

const typo = workflow("typo", (): string => {
  throw new TypeError("a mistake");
});
const fixed = workflow("typo", () => "right");

/** A workflow with a mistake, and without it. */
export const typos: { readonly typo: AnyWorkflow; readonly fixed: AnyWorkflow } = { typo, fixed };

/** An export whose lines were changed, with digests that fit; a line that becomes empty is left out. */
export function redigest(text: string, change: (line: string, at: number) => string): string {
  const writer = new LineWriter();
  let result = "";
  let runs = 0;
  const lines = text.trimEnd().split("\n").map(change);
  for (const [at, line] of lines.entries()) {
    if (line === "") continue;
    let record: Record<string, unknown>;
    try {
      record = JSON.parse(line) as Record<string, unknown>;
    } catch {
      result += writer.raw(line);
      continue;
    }
    const end = record["end"] as { run?: string } | undefined;
    if (typeof record["claw"] === "string") {
      result += writer.raw(line);
      writer.beginRun();
    } else if (typeof end?.run === "string") {
      const { lines: count, digest } = writer.endRun();
      result += writer.line({ end: { run: end.run, lines: count, sha256: digest } });
      writer.beginRun();
      runs++;
    } else if (end !== undefined && at === lines.length - 1) {
      const header = result.slice(0, result.indexOf("\n"));
      const counted = header.replace(/"runs":\d+/, `"runs":${runs}`);
      if (counted !== header)
        return redigest(`${counted}\n${lines.slice(1).filter(Boolean).join("\n")}`, (same) => same);
      result += writer.line({ end: { runs, sha256: writer.endFile() } });
    } else {
      result += writer.raw(line);
    }
  }
  return result;
}

/** An export without one of its runs. */
export function without(text: string, run: string): string {
  let isGone = false;
  return redigest(text, (line) => {
    if (line.startsWith(`{"run":{"id":"${run}"`)) isGone = true;
    const kept = isGone ? "" : line;
    if (line.startsWith(`{"end":{"run":"${run}"`)) isGone = false;
    return kept;
  });
}
