import { type AnyTask, type Context, type StepContext, task } from "@claw/sdk";
import type { Dice } from "../dice.ts";
import type { Performance, Stage } from "../interpret.ts";
import { type Fate, type StepStatement, UNDO_ATTEMPTS, type UndoFate } from "../statement.ts";

const NAMES = ["load", "pay", "mail", "book", "ship", "check"];
/** A timeout that no body reaches. */
const PATIENT_MS = 5_000;
const RETRY = { initial: 10, max: 2_000 };

/** A task of every world; its calls may set bounds of their own. */
export interface TaskShape {
  readonly name: string;
  /** "" for none. */
  readonly queue: string;
  readonly priority: number;
  readonly attempts: number;
  readonly timeoutMs: number;
  readonly heartbeatMs: number;
  /** What is left of a standalone one. */
  readonly keep?: "all";
}

/** The tasks of every world. */
export const TASKS: readonly TaskShape[] = [
  { name: "charge", queue: "bank", priority: 0, attempts: 4, timeoutMs: 0, heartbeatMs: 0 },
  { name: "refund", queue: "bank", priority: 5, attempts: 2, timeoutMs: 0, heartbeatMs: 0 },
  {
    name: "print",
    queue: "",
    priority: 0,
    attempts: 3,
    timeoutMs: 250,
    heartbeatMs: 0,
    keep: "all",
  },
  {
    name: "scan",
    queue: "desk",
    priority: -3,
    attempts: 3,
    timeoutMs: 0,
    heartbeatMs: 120,
    keep: "all",
  },
];

/** What a task's body is given: what it does there. */
export type TaskInput = Pick<StepStatement, "fate" | "timeoutMs" | "heartbeatMs" | "undo">;

/** The tasks of a node. */
export function toTasks(stage: Pick<Stage, "task">): ReadonlyMap<string, AnyTask> {
  return new Map(
    TASKS.map(({ name, queue, priority, attempts, timeoutMs, heartbeatMs, keep }) => {
      const options = {
        ...(queue === "" ? {} : { queue, priority }),
        ...(keep === undefined ? {} : { keep }),
        ...boundsOf({ attempts, timeoutMs, heartbeatMs }),
      };
      const body = (input: TaskInput, step: StepContext): unknown => stage.task(input, step);
      return [name, task<TaskInput>(name, options, body)];
    }),
  );
}

function boundsOf(bounds: Pick<StepStatement, "attempts" | "timeoutMs" | "heartbeatMs">): object {
  const { attempts, timeoutMs, heartbeatMs } = bounds;
  return {
    retry: { ...RETRY, attempts },
    ...(timeoutMs > 0 ? { timeout: timeoutMs } : {}),
    ...(heartbeatMs > 0 ? { heartbeat: heartbeatMs } : {}),
  };
}

/** A step with a body of its own. */
export function makeRun(dice: Dice): StepStatement {
  const kind = dice.weighted<Fate["kind"]>([
    [30, "ok"],
    [5, "flaky"],
    [1.2, "final"],
    [0.5, "never"],
    [3, "slow"],
    [1.5, "silent"],
  ]);
  return {
    op: "run",
    name: dice.pick(NAMES),
    fate: fateOf(dice, kind),
    attempts: kind === "never" ? 2 : 4,
    timeoutMs: kind === "slow" ? dice.between(5, 300) : 0,
    heartbeatMs: kind === "silent" || dice.chance(0.05) ? dice.between(20, 300) : 0,
    asDefined: false,
    shield: dice.chance(0.1),
    undo: dice.chance(0.4) ? makeUndo(dice) : null,
  };
}

/** A call of a task, half of them with bounds of their own. */
export function makeCall(dice: Dice): StepStatement {
  const shape = dice.pick(TASKS);
  if (dice.chance(0.5)) {
    const own = makeRun(dice);
    // A bound of the definition holds unless the call sets its own.
    const timeoutMs = own.timeoutMs > 0 || shape.timeoutMs === 0 ? own.timeoutMs : PATIENT_MS;
    const heartbeatMs = own.heartbeatMs > 0 ? own.heartbeatMs : shape.heartbeatMs;
    return { ...own, op: "call", name: shape.name, timeoutMs, heartbeatMs };
  }
  return makeDefined(dice, shape);
}

function makeDefined(dice: Dice, shape: TaskShape): StepStatement {
  const kind = dice.weighted<Fate["kind"]>([
    [20, "ok"],
    [4, "flaky"],
    [0.5, "final"],
    [0.4, "never"],
    [shape.timeoutMs > 0 ? 6 : 0, "slow"],
    [shape.heartbeatMs > 0 ? 6 : 0, "silent"],
  ]);
  const { ms, times } = fateOf(dice, kind);
  const { name, attempts, timeoutMs, heartbeatMs } = shape;
  // What a definition bounds must end within it.
  const fate = {
    kind,
    ms: timeoutMs > 0 ? Math.min(ms, timeoutMs >> 1) : ms,
    times: Math.min(times, attempts - 1),
  };
  const undo = dice.chance(0.4) ? makeUndo(dice) : null;
  const bounds = { attempts, timeoutMs, heartbeatMs, asDefined: true };
  return { op: "call", name, fate, ...bounds, shield: dice.chance(0.1), undo };
}

/** A standalone task, within the bounds of its definition. */
export function makeStandalone(dice: Dice): { readonly name: string; readonly input: TaskInput } {
  const { name, fate, timeoutMs, heartbeatMs } = makeDefined(dice, dice.pick(TASKS));
  return { name, input: { fate, timeoutMs, heartbeatMs, undo: null } };
}

function fateOf(dice: Dice, kind: Fate["kind"]): Fate {
  const ms = dice.weighted([
    [4, () => -1],
    [2, () => 0],
    [4, () => dice.between(1, 20)],
    [2, () => dice.between(20, 900)],
  ])();
  return { kind, times: dice.between(1, 2), ms };
}

function makeUndo(dice: Dice): UndoFate {
  return {
    kind: dice.weighted([
      [6, "ok"],
      [2, "flaky"],
      [1, "never"],
    ] as const),
    times: dice.between(1, UNDO_ATTEMPTS - 1),
    ms: dice.pick([-1, 0, 10, 400]),
    uncertain: dice.pick(["report", "rerun", "call"] as const),
  };
}

/** Asks for the call. */
export function askStep(
  statement: StepStatement,
  call: string,
  around: {
    readonly ctx: Context;
    readonly keyed: object;
    readonly stage: Stage;
    readonly performance: Performance;
    readonly tasks: ReadonlyMap<string, AnyTask>;
  },
): Promise<unknown> {
  const { ctx, keyed, stage, performance, tasks } = around;
  const { op, name, shield, undo } = statement;
  const bounds = statement.asDefined ? keyed : { ...keyed, ...boundsOf(statement) };
  if (undo !== null) stage.counted(`undo ${undo.kind}`);
  const options = {
    ...bounds,
    shield,
    ...(undo === null
      ? {}
      : {
          undo: (value: unknown, step: StepContext) =>
            stage.undo(performance, call, statement, value, step),
          undoRetry: { ...RETRY, attempts: UNDO_ATTEMPTS },
          uncertain: undo.uncertain,
        }),
  };
  if (op === "run") {
    return ctx.run(name, (step) => stage.body(performance, call, statement, step), options);
  }
  const { fate, timeoutMs, heartbeatMs } = statement;
  const input: TaskInput = { fate, timeoutMs, heartbeatMs, undo };
  return ctx.call(tasks.get(name) as AnyTask, input, options);
}
