import type { Enqueue } from "@claw/core/ports";
import {
  joinInputs,
  limits,
  type Payload,
  type TaskBlock,
  type TaskPlace,
} from "@claw/core/protocol";

/** Splits payloads into blocks with consecutive numbers, the first of which is `firstId`. */
export function blocksOf(
  place: TaskPlace,
  inputs: readonly Payload[],
  firstId: number,
  addedAt: number,
): TaskBlock[] {
  const blocks: TaskBlock[] = [];
  for (let from = 0; from < inputs.length; ) {
    let to = from;
    let chars = 0;
    while (to < inputs.length && to - from < limits.BLOCK_TASKS_MAX) {
      chars += (inputs[to] as Payload).length;
      if (chars > limits.BLOCK_CHARS_MAX && to > from) break;
      to++;
    }
    const text = joinInputs(inputs.slice(from, to));
    blocks.push({ ...place, id: firstId + from, count: to - from, addedAt, inputs: text });
    from = to;
  }
  return blocks;
}

/** A request to the store that writes plain tasks of one place. */
export function enqueueOf(blocks: readonly TaskBlock[], lastId: number): Enqueue {
  return { type: "enqueue", blocks, aside: [], lastId, dedup: null };
}
