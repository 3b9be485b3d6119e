import type { PayloadPlace } from "@claw/core/ports";
import {
  type Entry,
  type KeyName,
  keyOwner,
  type Message,
  type RunId,
  type TaskId,
} from "@claw/core/protocol";

// Between the fields of a part: no name or kind contains it.
const UNIT = "\u001f";

/** Where the input of a run stands. */
export function inputPlace(run: RunId): PayloadPlace {
  return { run, part: "input" };
}

/** Where the output of a run stands. */
export function outputPlace(run: RunId): PayloadPlace {
  return { run, part: "output" };
}

/** Where the error stands that ended a run. */
export function errorPlace(run: RunId): PayloadPlace {
  return { run, part: "error" };
}

/** Where the data of a journal's entry stand. */
export function entryPlace(
  run: RunId,
  { kind, call, attempt }: Pick<Entry, "kind" | "call" | "attempt">,
): PayloadPlace {
  return { run, part: ["entry", kind, call, attempt].join(UNIT) };
}

/** Where a message to a run stands. */
export function messagePlace({ to, kind, name }: Message): PayloadPlace {
  return { run: to, part: ["message", kind, name].join(UNIT) };
}

/** Where a block of chunks stands. */
export function chunkPlace(run: RunId, seq: number): PayloadPlace {
  return { run, part: ["chunks", seq].join(UNIT) };
}

/** Where a value of a standalone task stands. */
export function taskPlace(
  task: TaskId,
  part: "input" | "output" | "progress" | "error",
): PayloadPlace {
  return { run: task, part };
}

/** Where the state of a key stands: it is no run's. */
export function statePlace(name: KeyName): PayloadPlace {
  return { run: keyOwner(name), part: "state" };
}

/** Where a request of one node to another stands, and the answer to it: neither is part of a run. */
export function errandPlace(id: string): PayloadPlace {
  return { run: "", part: ["errand", id].join(UNIT) };
}
