import type { OnParentEnd } from "@claw/core/protocol";
import type { Dice } from "./dice.ts";
import type { Block, Program, Statement } from "./statement.ts";
import { makeApproval } from "./statements/approval.ts";
import { makeAttributes } from "./statements/attributes.ts";
import { withContinue } from "./statements/continue-as.ts";
import { makeHandler } from "./statements/handlers.ts";
import { makeStream } from "./statements/stream.ts";
import { makeKeyed, withTally } from "./statements/keyed.ts";
import { makeCall, makeRun } from "./statements/step.ts";

/** Kinds of statement that count as ctx calls. */
export const CTX_CALLS = [
  "run",
  "call",
  "sleep",
  "until",
  "receive",
  "waitFor",
  "emit",
  "approval",
  "attributes",
  "stream",
  "child",
  "start",
  "all",
  "race",
  "map",
  "scope",
  "now",
  "random",
  "uuid",
  "look",
  "tally",
  "fail",
  "continueAs",
  "query",
  "update",
] as const;

const POLICIES: readonly OnParentEnd[] = ["cancel", "abandon", "wait"];
const NAMES = ["part", "pair", "team"];
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
    const keyed = foreign === "no" && dice.chance(0.18) ? makeKeyed(dice) : null;
    const whole = maker.block(length, 0);
    const plain = withForeign(dice, whole, foreign);
    const body =
      keyed === null
        ? withContinue(dice, plain, () => maker.leaf())
        : withTally(dice, plain, keyed);
    const handler = makeHandler(dice, () => maker.leaf());
    const trigger = dice.chance(0.4)
      ? { type: TRIGGER_TYPE, k: dice.chance(0.5) ? dice.below(K_MAX) : null }
      : null;
    return {
      name: `flow-${index}`,
      index,
      version: 1,
      body,
      handler,
      trigger,
      foreign,
      keyed,
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
      [13, () => makeRun(dice)],
      [4, () => makeCall(dice)],
      [3, () => ({ op: "sleep", ms: dice.between(0, patienceMs) })],
      [1, () => ({ op: "until", ms: dice.between(-100, patienceMs) })],
      [2, () => ({ op: "receive", signal: dice.pick(SIGNALS), timeoutMs: wait() })],
      [2, () => this.#waitFor(wait())],
      [1.2, () => makeApproval(dice, wait())],
      [0.8, () => makeAttributes(dice)],
      [1, () => makeStream(dice)],
      [2, () => ({ op: "emit", type: dice.pick(EVENT_TYPES), k: dice.below(K_MAX) })],
      [later > 0 ? 1 : 0, () => this.#child(later)],
      [later > 0 ? 0.4 : 0, () => ({ op: "start", program: this.#index + 1 + dice.below(later) })],
    ])();
  }

  #child(later: number): Statement {
    const program = this.#index + 1 + this.#dice.below(later);
    return { op: "child", program, onParentEnd: this.#dice.pick(POLICIES) };
  }

  #waitFor(timeoutMs: number): Statement {
    const dice = this.#dice;
    const match = dice.chance(0.6) ? dice.below(K_MAX) : null;
    return { op: "waitFor", type: dice.pick(EVENT_TYPES), match, timeoutMs };
  }
}
