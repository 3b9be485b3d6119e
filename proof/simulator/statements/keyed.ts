import { fingerprint, type HeldHead } from "@claw/core/protocol";
import type { Context } from "@claw/sdk";
import type { Dice } from "../dice.ts";
import type { Block } from "../statement.ts";

/** The state of the run's key, read or counted on: `look` reads it, `tally` makes it one more. */
export interface KeyedStatement {
  readonly op: "look" | "tally";
}

/** How the runs of a program queue. */
export interface KeyedShape {
  /** Keys that there are. */
  readonly keys: number;
  /** Most runs that wait for one. */
  readonly waitingMax: number;
  readonly onHeldHead: HeldHead;
}

/** Calls that a statement makes, in their order. */
export const KEYED_CALLS: Readonly<Record<KeyedStatement["op"], readonly string[]>> = {
  look: ["state:get"],
  tally: ["state:get", "state:set"],
};

export function makeKeyed(dice: Dice): KeyedShape {
  return {
    keys: dice.between(1, 4),
    waitingMax: dice.between(1, 20),
    onHeldHead: dice.pick(["block", "skip"]),
  };
}

/**
 * A body that counts its runs in the state of their key. Where nobody is let past, what is read at the beginning must
 * hold until it is set.
 */
export function withTally(dice: Dice, body: Block, { onHeldHead }: KeyedShape): Block {
  const at = dice.between(1, body.length);
  const counted: Block = [...body.slice(0, at), { op: "tally" }, ...body.slice(at)];
  return onHeldHead === "block" ? [{ op: "look" }, ...counted] : counted;
}

function keyOfInput({ keys }: KeyedShape, input: unknown): string {
  return `k${Number.parseInt(fingerprint(JSON.stringify(input)).slice(0, 8), 36) % keys}`;
}

/** The options of a workflow whose runs queue. */
export function keyedOptions(shape: KeyedShape): {
  key: (input: unknown) => string;
  mailbox: { max: number };
  onHeldHead: HeldHead;
  initialState: number;
} {
  const { waitingMax, onHeldHead } = shape;
  const key = (input: unknown): string => keyOfInput(shape, input);
  return { key, mailbox: { max: waitingMax }, onHeldHead, initialState: 0 };
}

/** What the code remembers of the state. */
export interface Tally {
  saw: number | null;
}

/** Looks at the state, or counts on from what was seen first. */
export function askKeyed({ op }: KeyedStatement, ctx: Context, tally: Tally): "seen" | "counted" {
  const state = ctx.state.get() as number;
  if (op === "look") {
    tally.saw = state;
    return "seen";
  }
  ctx.state.set((tally.saw ?? state) + 1);
  return "counted";
}
