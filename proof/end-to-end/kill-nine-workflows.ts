import { setTimeout as pause } from "node:timers/promises";
import { type AnyWorkflow, type Context, event, workflow } from "@claw/sdk";
import type { Witness } from "./witness.ts";

/** The event that the client publishes: it wakes a waiting run and starts another. */
export const arrived = event<{ key: string }>("parcel.arrived");
const rang = event<{ key: string }>("bell.rang");

/** The kinds of run that the client starts, in turn. */
export const SHAPES = [
  "sequence",
  "spread",
  "nap",
  "mail",
  "parcel",
  "family",
  "stumble",
  "herald",
] as const;

/** The name of a workflow that the client starts. */
export type Shape = (typeof SHAPES)[number];

/** The idempotency key, and the input, of the client's request number `at`. */
export function keyOf(at: number): string {
  return `k${at}`;
}

/** The workflow of the client's request number `at`. */
export function shapeOf(at: number): Shape {
  return SHAPES[at % SHAPES.length] ?? "sequence";
}

/** A run that must exist exactly once in the end. */
export interface ExpectedRun {
  readonly workflow: string;
  readonly key: string;
  readonly output: string;
}

/** All runs that request number `at` brings about, with their outputs. */
export function expectedRuns(at: number): readonly ExpectedRun[] {
  return OUTCOMES[shapeOf(at)](keyOf(at));
}

const OUTCOMES: Readonly<Record<Shape, (key: string) => readonly ExpectedRun[]>> = {
  sequence: (key) => [sequenceRun(key)],
  spread: (key) => [{ workflow: "spread", key, output: "b0b1b2b3b4b5" }],
  nap: (key) => [{ workflow: "nap", key, output: "slept, quick" }],
  mail: (key) => [{ workflow: "mail", key, output: "ab" }],
  parcel: (key) => [
    { workflow: "parcel", key, output: `${key} arrived` },
    { workflow: "greet", key, output: `hello ${key}` },
  ],
  family: (key) => [
    { workflow: "family", key, output: `${key}.child.0.1.2.3.4!` },
    sequenceRun(`${key}.child`),
    sequenceRun(`${key}.alone`),
  ],
  stumble: (key) => [{ workflow: "stumble", key, output: "3 and 2" }],
  herald: (key) => [
    { workflow: "herald", key, output: "rung" },
    { workflow: "answer", key, output: `heard ${key}` },
  ],
};

function sequenceRun(key: string): ExpectedRun {
  return { workflow: "sequence", key, output: `${key}.0.1.2.3.4` };
}

type Steps = (ctx: Context, name: string, options: StepLine) => Promise<string>;

interface StepLine {
  readonly key: string;
  /** Calls that this one stands on: of the same run, or `@KEY` for whole runs of another key. */
  readonly after?: readonly string[];
  readonly value: string;
  /** Attempts that fail before one succeeds. */
  readonly failures?: number;
}

/** The workflows, with bodies that write `S RUN/CALL ATTEMPT KEY AFTER` when they are entered. */
export function witnessedWorkflows(witness: Witness): readonly AnyWorkflow[] {
  const step = stepsOf(witness);
  const sequence = sequenceOf(step);
  const greet = workflow("greet", { on: arrived }, async (ctx, { key }: { key: string }) => {
    return step(ctx, "greet", { key, value: `hello ${key}` });
  });
  const answer = workflow("answer", { on: rang }, async (ctx, { key }: { key: string }) => {
    return step(ctx, "answer", { key, value: `heard ${key}` });
  });
  const herald = workflow("herald", async (ctx, key: string) => {
    await step(ctx, "a", { key, value: "" });
    await ctx.emit(rang, { key });
    return step(ctx, "b", { key, after: ["a"], value: "rung" });
  });
  const family = workflow("family", async (ctx, key: string) => {
    await ctx.start(sequence, `${key}.alone`);
    const text = await ctx.child(sequence, `${key}.child`);
    return text + (await step(ctx, "after", { key, after: [`@${key}.child`], value: "!" }));
  });
  return [
    sequence,
    spreadOf(step),
    napOf(step),
    mailOf(step),
    parcelOf(step),
    family,
    stumbleOf(step),
    herald,
    greet,
    answer,
  ];
}

function stepsOf(witness: Witness): Steps {
  return (ctx, name, { key, after = [], value, failures = 0 }) =>
    ctx.run(
      name,
      async (body) => {
        witness.write(`S ${body.key} ${body.attempt} ${key} ${after.join(",") || "-"}`);
        // Some bodies end in the turn that entered them, others milliseconds later.
        if (Math.random() < 0.7) await pause(Math.random() * 6);
        if (body.attempt <= failures) throw new Error(`attempt ${body.attempt} fails`);
        return value;
      },
      { retry: { attempts: failures + 1, initial: "4ms" } },
    );
}

function sequenceOf(step: Steps) {
  return workflow("sequence", async (ctx, key: string) => {
    let text = key;
    for (let at = 0; at < 5; at++) {
      const after = at === 0 ? [] : [`s${at - 1}`];
      text += await step(ctx, `s${at}`, { key, after, value: `.${at}` });
    }
    return text;
  });
}

function spreadOf(step: Steps): AnyWorkflow {
  return workflow("spread", async (ctx, key: string) => {
    const lanes = [0, 1, 2, 3, 4, 5];
    const texts = await ctx.map("lanes", lanes, { concurrency: 3 }, async (inner, lane) => {
      await step(inner, "a", { key, value: "" });
      return step(inner, "b", { key, after: [`lanes[${lane}]/a`], value: `b${lane}` });
    });
    const after = lanes.map((lane) => `lanes[${lane}]/b`);
    return texts.join("") + (await step(ctx, "gather", { key, after, value: "" }));
  });
}

function napOf(step: Steps): AnyWorkflow {
  return workflow("nap", async (ctx, key: string) => {
    await step(ctx, "a", { key, value: "" });
    await ctx.sleep("25ms");
    const slept = await step(ctx, "b", { key, after: ["a"], value: "slept" });
    const quick = await ctx.race("first", [
      async (inner) => String(await inner.sleep("1h")),
      (inner) => step(inner, "c", { key, after: ["b"], value: "quick" }),
    ]);
    await ctx.sleep("5ms");
    return (await step(ctx, "d", { key, after: ["first[1]/c"], value: `${slept}, ` })) + quick;
  });
}

function mailOf(step: Steps): AnyWorkflow {
  return workflow("mail", async (ctx, key: string) => {
    const first = await ctx.receive<string>("note");
    await step(ctx, "a", { key, value: "" });
    const second = await ctx.receive<string>("note", { timeout: "1h" });
    await step(ctx, "b", { key, after: ["a"], value: "" });
    return first + (second.ok ? second.value : "?");
  });
}

function parcelOf(step: Steps): AnyWorkflow {
  return workflow("parcel", async (ctx, key: string) => {
    await step(ctx, "a", { key, value: "" });
    const data = await ctx.waitFor(arrived, { match: { key } });
    return step(ctx, "b", { key, after: ["a"], value: `${data.key} arrived` });
  });
}

function stumbleOf(step: Steps): AnyWorkflow {
  return workflow("stumble", async (ctx, key: string) => {
    const [a, b] = await ctx.all("both", [
      (inner) => step(inner, "a", { key, value: "3", failures: 2 }),
      (inner) => step(inner, "b", { key, value: "2", failures: 1 }),
    ]);
    const after = ["both[0]/a", "both[1]/b"];
    return a + (await step(ctx, "then", { key, after, value: " and " })) + b;
  });
}
