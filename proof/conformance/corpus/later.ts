import type { Claw } from "@claw/runtime";
import { type AnyTask, type AnyWorkflow, task, workflow } from "@claw/sdk";

/** What a schema version brought with it, and how a store of that version is left with it. */
export interface Feature {
  /** The first schema version that knows it. */
  readonly since: number;
  /** Leaves runs or tasks with it in a store that is made; `shown` answers what a run is doing. */
  readonly leave: (claw: Claw, shown: (run: string) => Promise<string>) => Promise<void>;
}

async function rests(status: () => Promise<string>, wanted: string): Promise<void> {
  while ((await status()) !== wanted) await new Promise((resolve) => setImmediate(resolve));
}

const tagged = workflow("tagged", async (ctx, color: string) => {
  await ctx.attributes.set({ color, shelf: 3 });
  return color === "blue" ? color : ctx.receive("go");
});

const halted = workflow("halted", async (ctx) => {
  const first = await ctx.run("first", () => 20);
  return first + (await ctx.receive<number>("more"));
});

const permit = workflow("permit", async (ctx) => {
  const asked = await ctx.approval<{ cents: number }>(
    { type: "object", properties: { cents: { type: "integer" } }, required: ["cents"] },
    { title: "Pay?", assignees: ["ada"] },
  );
  return asked.value?.cents;
});

const lives = workflow("lives", async (ctx, life: number): Promise<unknown> => {
  await ctx.run("live", () => life);
  if (life < 3) return ctx.continueAs(life + 1);
  return `${life} ${await ctx.receive<string>("go")}`;
});

const large = workflow("large", async (ctx) => {
  const value = await ctx.run("much", () => "large ".repeat(500));
  await ctx.receive("go");
  return value.length;
});

const spoken = workflow("spoken", async (ctx) => {
  await ctx.stream("said").write("one");
  await ctx.run("say", (step) => step.stream("said").write({ two: 2 }));
  await ctx.receive("go");
  await ctx.stream("said").write("three");
});

/** Workflows of later features; never changed, as those of `workflows.ts`. */
export const laterWorkflows: readonly AnyWorkflow[] = [
  tagged,
  halted,
  permit,
  lives,
  large,
  spoken,
];

/** What the task of the corpus was given, in this process. */
export const mailed: string[] = [];

const mail = task("corpus-mail", { queue: "corpus" }, async (to: string) => {
  mailed.push(to);
});

/** The tasks of the corpus. */
export const laterTasks: readonly AnyTask[] = [mail];

/** Payloads above this are blobs in the stores of the corpus, so that their dumps are small. */
export const INLINE_BYTES = 1_024;

/** By name, oldest first; a new one goes to the end, with the schema version that it came with. */
export const FEATURES: Readonly<Record<string, Feature>> = {
  attributes: {
    since: 4,
    leave: async (claw, shown) => {
      await (await claw.start("tagged", "blue")).result();
      const { id } = await claw.start("tagged", "red");
      await rests(() => shown(id), "waiting");
    },
  },
  pause: {
    since: 5,
    leave: async (claw, shown) => {
      const { id } = await claw.start("halted", undefined);
      await rests(() => shown(id), "waiting");
      await claw.pause(id, "the bank is down");
    },
  },
  approvals: {
    since: 6,
    leave: async (claw, shown) => {
      const { id } = await claw.start("permit", undefined);
      await rests(() => shown(id), "waiting");
    },
  },
  tasks: {
    since: 7,
    leave: async (claw) => {
      await claw.enqueueMany(mail, ["ada", "bob"]);
      await claw.enqueue(mail, "cy", { delay: "1h", idempotencyKey: "cy" });
    },
  },
  generations: {
    since: 9,
    leave: async (claw, shown) => {
      const { id } = await claw.start("lives", 1);
      await rests(() => shown(id), "waiting");
    },
  },
  blobs: {
    since: 9,
    leave: async (claw, shown) => {
      const { id } = await claw.start("large", undefined);
      await rests(() => shown(id), "waiting");
    },
  },
  streams: {
    since: 10,
    leave: async (claw, shown) => {
      const { id } = await claw.start("spoken", undefined);
      await rests(() => shown(id), "waiting");
    },
  },
};
