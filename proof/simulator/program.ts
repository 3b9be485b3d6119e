import type { Dice } from "./dice.ts";

/** What the body of a step does. */
export interface Fate {
  /** `ok` returns · `flaky` fails the first `times` attempts · `final` throws an error that is not retried
   * · `never` fails every attempt · `slow` outlasts its timeout the first `times` attempts. */
  readonly kind: "ok" | "flaky" | "final" | "never" | "slow";
  readonly times: number;
  /** Virtual time that the body takes; 0 returns at once, -1 without a promise. */
  readonly ms: number;
}

/** How a step is taken back. */
export interface UndoFate {
  /** `ok` returns · `flaky` fails the first `times` attempts · `never` fails all UNDO_ATTEMPTS. */
  readonly kind: "ok" | "flaky" | "never";
  readonly times: number;
  readonly ms: number;
  /** What is done when the end of the step is not known. */
  readonly uncertain: "report" | "rerun" | "call";
}

/** Attempts of an undo that fails. */
export const UNDO_ATTEMPTS = 3;

/** A step with a body. */
export interface RunStatement {
  readonly op: "run";
  readonly name: string;
  readonly fate: Fate;
  readonly attempts: number;
  /** 0 for none. */
  readonly timeoutMs: number;
  /** It goes on when its run is cancelled. */
  readonly shield: boolean;
  readonly undo: UndoFate | null;
}

/** One statement of a simulated workflow: data, so that it can be run, changed and predicted. */
export type Statement =
  | RunStatement
  | { readonly op: "sleep"; readonly ms: number }
  | { readonly op: "until"; readonly ms: number }
  | { readonly op: "receive"; readonly signal: string; readonly timeoutMs: number }
  | {
      readonly op: "waitFor";
      readonly type: string;
      /** The event's `k` that must match, or null for any. */
      readonly match: number | null;
      readonly timeoutMs: number;
    }
  | { readonly op: "emit"; readonly type: string; readonly k: number }
  | { readonly op: "child" | "start"; readonly program: number }
  | { readonly op: "all" | "race"; readonly name: string; readonly branches: readonly Block[] }
  | {
      readonly op: "map";
      readonly name: string;
      readonly items: number;
      readonly concurrency: number;
      readonly keyed: boolean;
      readonly body: Block;
    }
  | {
      readonly op: "scope";
      readonly name: string;
      readonly shield: boolean;
      readonly body: Block;
    }
  | { readonly op: "bare"; readonly calls: readonly Statement[] }
  | {
      readonly op: "loop";
      readonly id: string;
      readonly times: number;
      readonly keyed: boolean;
      readonly body: Block;
    }
  | { readonly op: "try"; readonly body: Block; readonly handler: Block }
  | { readonly op: "now" | "random" | "uuid" }
  | { readonly op: "fail"; readonly reason: string }
  | { readonly op: "foreign"; readonly ms: number };

/** Statements one after the other. */
export type Block = readonly Statement[];

/** A simulated workflow. */
export interface Program {
  readonly name: string;
  readonly index: number;
  readonly version: number;
  readonly body: Block;
  /** Started by events of this type, with this `k` if not null. */
  readonly trigger: { readonly type: string; readonly k: number | null } | null;
  /** Awaits something else than ctx somewhere: held for it, or only warned of it. */
  readonly foreign: "no" | "error" | "warn";
}

/** Kinds of statement that count as ctx calls. */
export const CTX_CALLS = [
  "run",
  "sleep",
  "until",
  "receive",
  "waitFor",
  "emit",
  "child",
  "start",
  "all",
  "race",
  "map",
  "scope",
  "now",
  "random",
  "uuid",
  "fail",
] as const;

const NAMES = ["load", "pay", "mail", "book", "ship", "check"];
/** Names of signals that programs receive. */
export const SIGNALS = ["go", "answer", "stop"];
/** Types of events that programs wait for. */
export const EVENT_TYPES = ["order.paid", "stock.moved", "mail.read"];
/** Type of events that only start workflows. */
export const TRIGGER_TYPE = "case.opened";
/** Values of an event's `k`. */
export const K_MAX = 4;

/** How programs of a world come out. */
export interface ProgramShape {
  /** Statements of the outermost block. */
  readonly length: number;
  readonly programs: number;
  /** Longest sleeps and timeouts, milliseconds. */
  readonly patienceMs: number;
}

/** Makes the programs of a world; each calls only those after it, so that calls end. */
export function makePrograms(dice: Dice, shape: ProgramShape): Program[] {
  return Array.from({ length: shape.programs }, (_, index) => {
    const maker = new Maker(dice, shape, index);
    const length = index >= shape.programs - 2 ? 3 : shape.length;
    const foreign = index === 0 && dice.chance(0.2) ? dice.pick(["error", "warn"] as const) : "no";
    const body = withForeign(dice, maker.block(length, 0), foreign);
    const trigger = dice.chance(0.4)
      ? { type: TRIGGER_TYPE, k: dice.chance(0.5) ? dice.below(K_MAX) : null }
      : null;
    return {
      name: `flow-${index}`,
      index,
      version: 1,
      body,
      trigger,
      foreign,
    };
  });
}

function withForeign(dice: Dice, body: Block, foreign: Program["foreign"]): Block {
  if (foreign === "no") return body;
  const at = dice.below(body.length + 1);
  const statement: Statement = { op: "foreign", ms: dice.between(1, 500) };
  return [...body.slice(0, at), statement, ...body.slice(at)];
}

class Maker {
  readonly #dice: Dice;
  readonly #shape: ProgramShape;
  readonly #index: number;
  #loops = 0;

  constructor(dice: Dice, shape: ProgramShape, index: number) {
    this.#dice = dice;
    this.#shape = shape;
    this.#index = index;
  }

  block(length: number, depth: number): Block {
    return Array.from({ length }, () => this.#statement(depth));
  }

  // The first statement of a branch is durable, so that no two branches settle in one turn.
  #branch(depth: number): Block {
    return [this.leaf(), ...this.block(this.#dice.below(3), depth + 1)];
  }

  #statement(depth: number): Statement {
    const dice = this.#dice;
    if (depth >= 3 || dice.chance(depth === 0 ? 0.6 : 0.75)) return this.#single();
    const name = dice.pick(NAMES);
    return dice.weighted<() => Statement>([
      [3, () => ({ op: "all", name, branches: this.#branches(depth) })],
      [2, () => ({ op: "race", name, branches: this.#branches(depth) })],
      [2, () => this.#map(depth, name)],
      [2, () => ({ op: "scope", name, shield: dice.chance(0.4), body: this.block(2, depth + 1) })],
      [2, () => this.#loop(depth)],
      [2, () => ({ op: "bare", calls: Array.from({ length: 3 }, () => this.leaf()) })],
      [
        3,
        () => ({
          op: "try",
          body: this.block(2, depth + 1),
          handler: [this.leaf()],
        }),
      ],
    ])();
  }

  #branches(depth: number): Block[] {
    return Array.from({ length: this.#dice.between(2, 3) }, () => this.#branch(depth));
  }

  #map(depth: number, name: string): Statement {
    const dice = this.#dice;
    return {
      op: "map",
      name,
      items: dice.between(1, 4),
      concurrency: dice.between(1, 3),
      keyed: dice.chance(0.5),
      body: this.#branch(depth),
    };
  }

  #loop(depth: number): Statement {
    const keyed = this.#dice.chance(0.5);
    const body = keyed ? [this.leaf()] : this.block(2, depth + 1);
    const id = `loop${this.#loops++}`;
    return { op: "loop", id, times: this.#dice.between(2, 4), keyed, body };
  }

  #single(): Statement {
    const dice = this.#dice;
    return dice.weighted<() => Statement>([
      [18, () => this.leaf()],
      [1, () => ({ op: "now" })],
      [1, () => ({ op: "random" })],
      [1, () => ({ op: "uuid" })],
      [0.15, () => ({ op: "fail", reason: `gives up ${dice.below(100)}` })],
    ])();
  }

  /** A durable call. */
  leaf(): Statement {
    const dice = this.#dice;
    const { patienceMs, programs } = this.#shape;
    const later = programs - 1 - this.#index;
    const wait = (): number => (dice.chance(0.85) ? dice.between(1, patienceMs) : 0);
    return dice.weighted<() => Statement>([
      [16, () => this.#run()],
      [3, () => ({ op: "sleep", ms: dice.between(0, patienceMs) })],
      [1, () => ({ op: "until", ms: dice.between(-100, patienceMs) })],
      [2, () => ({ op: "receive", signal: dice.pick(SIGNALS), timeoutMs: wait() })],
      [2, () => this.#waitFor(wait())],
      [2, () => ({ op: "emit", type: dice.pick(EVENT_TYPES), k: dice.below(K_MAX) })],
      [later > 0 ? 1 : 0, () => ({ op: "child", program: this.#index + 1 + dice.below(later) })],
      [later > 0 ? 0.4 : 0, () => ({ op: "start", program: this.#index + 1 + dice.below(later) })],
    ])();
  }

  #waitFor(timeoutMs: number): Statement {
    const dice = this.#dice;
    const match = dice.chance(0.6) ? dice.below(K_MAX) : null;
    return { op: "waitFor", type: dice.pick(EVENT_TYPES), match, timeoutMs };
  }

  #run(): Statement {
    const dice = this.#dice;
    const kind = dice.weighted<Fate["kind"]>([
      [30, "ok"],
      [5, "flaky"],
      [0.7, "final"],
      [0.5, "never"],
      [3, "slow"],
    ]);
    const ms = dice.weighted([
      [4, () => -1],
      [2, () => 0],
      [4, () => dice.between(1, 20)],
      [2, () => dice.between(20, 900)],
    ])();
    return {
      op: "run",
      name: dice.pick(NAMES),
      fate: { kind, times: dice.between(1, 2), ms },
      attempts: kind === "never" ? 2 : 4,
      timeoutMs: kind === "slow" ? dice.between(5, 300) : 0,
      shield: dice.chance(0.1),
      undo: dice.chance(0.4) ? this.#undo() : null,
    };
  }

  #undo(): UndoFate {
    const dice = this.#dice;
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
}
