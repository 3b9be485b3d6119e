import type { Dice } from "./dice.ts";
import type { Block, Program, Statement } from "./statement.ts";

/** Ways in which the code of a workflow changes behind the back of its runs. */
export const CHANGES = ["insert", "rename", "remove", "swap", "append", "duration"] as const;

/** One of CHANGES. */
export type Change = (typeof CHANGES)[number];

/** The same program with another code; null when this change does not fit it. */
export function changeProgram(dice: Dice, program: Program, change: Change): Program | null {
  const body = changeBlock(dice, program.body, change);
  return body === null ? null : { ...program, body };
}

function changeBlock(dice: Dice, body: Block, change: Change): Block | null {
  const at = dice.below(body.length);
  const fresh: Statement = {
    op: "run",
    name: "added",
    fate: { kind: "ok", times: 1, ms: 0 },
    attempts: 3,
    timeoutMs: 0,
    heartbeatMs: 0,
    asDefined: false,
    shield: false,
    undo: null,
  };
  switch (change) {
    case "insert":
      return [...body.slice(0, at), fresh, ...body.slice(at)];
    case "append":
      return [...body, fresh];
    case "remove":
      return [...body.slice(0, at), ...body.slice(at + 1)];
    case "swap":
      return swap(body, at);
    case "rename":
      return replaceOne(dice, body, (one) =>
        one.op === "run" ? { ...one, name: "renamed" } : null,
      );
    default:
      return replaceOne(dice, body, (one) =>
        one.op === "sleep" ? { ...one, ms: one.ms + 1 } : null,
      );
  }
}

function swap(body: Block, at: number): Block | null {
  const [one, other] = [body[at], body[at + 1]];
  if (one === undefined || other === undefined) return null;
  return [...body.slice(0, at), other, one, ...body.slice(at + 2)];
}

function replaceOne(
  dice: Dice,
  body: Block,
  change: (statement: Statement) => Statement | null,
): Block | null {
  const places = body.flatMap((one, at) => (change(one) === null ? [] : [at]));
  if (places.length === 0) return null;
  const at = dice.pick(places);
  return body.map((one, place) => (place === at ? (change(one) ?? one) : one));
}
