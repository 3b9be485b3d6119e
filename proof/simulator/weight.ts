import type { Block, Program, Statement } from "./statement.ts";

/** About how many calls a run of each program makes, with the runs that it starts in turn. */
export function weigh(programs: readonly Program[]): number[] {
  const weights: number[] = [];
  // Each calls only those after it.
  for (const { index, body } of programs.toReversed()) weights[index] = blockWeight(body, weights);
  return weights;
}

function blockWeight(block: Block, weights: readonly number[]): number {
  let sum = 0;
  for (const statement of block) sum += statementWeight(statement, weights);
  return sum;
}

// Whatever holds blocks weighs what they weigh, as often as they are performed.
function statementWeight(statement: Statement, weights: readonly number[]): number {
  let inside = 0;
  let times = 1;
  for (const [name, value] of Object.entries(statement)) {
    if (name === "program") inside += weights[value as number] ?? 0;
    if (name === "times" || name === "items") times = value as number;
    if (!Array.isArray(value)) continue;
    for (const one of value as (Statement | Block | string)[]) {
      if (typeof one === "string") continue;
      inside += "op" in one ? statementWeight(one, weights) : blockWeight(one, weights);
    }
  }
  return 1 + inside * times;
}
