import {
  closeLoop,
  closeScope,
  hasRecord,
  openLoop,
  type RunState,
  takenEvents,
  whatOutlives,
} from "@claw/core/engine";
import {
  ClawError,
  decodePayload,
  encodePayload,
  limits,
  type Payload,
  type SavedNote,
} from "@claw/core/protocol";
import type { Context } from "@claw/sdk";
import type { RunContext } from "./context.ts";

type Iterate = (ctx: Context, state: never) => unknown;

/**
 * Runs the iterations of a checkpoint, each in a scope of its own number. At replay it goes on with
 * what was saved last, in that entry's turn.
 */
export async function runCheckpoint(
  ctx: RunContext,
  segment: string,
  initial: unknown,
  body: Iterate,
): Promise<never> {
  if (typeof body !== "function") throw new ClawError("CLAW-1009", "checkpoint got no function");
  const { state, node } = ctx.activation;
  const call = ctx.scopeState.path + segment;
  const { payloadBytesMax } = node.limits;
  const loop = ctx.inner(segment);
  openLoop(state, call);
  try {
    let note: SavedNote = {
      next: 0,
      value: decodePayload(encodePayload(initial, payloadBytesMax)),
    };
    if (hasRecord(state, call)) note = await ctx.saveState(segment, "");
    while (note.next !== null) {
      const ended = await iterate(state, loop, note.next, body, note.value);
      note = await ctx.saveState(segment, encodeNote(state, ended, payloadBytesMax));
    }
    return note.value as never;
  } finally {
    closeLoop(state, call);
  }
}

async function iterate(
  state: RunState,
  loop: RunContext,
  number: number,
  body: Iterate,
  value: unknown,
): Promise<SavedNote> {
  // Numbers are not used again, so what the loop remembers of its scopes would only grow.
  loop.scopeState.names.clear();
  const inner = loop.inner(String(number));
  const outcome = await body(inner, value as never);
  const left = whatOutlives(state, inner.scopeState);
  if (left !== null) {
    const where = `Iteration ${number} of "${loop.scopeState.path.slice(0, -1)}"`;
    throw new ClawError("CLAW-2031", `${where} has ended, but ${left} has not`);
  }
  closeScope(state, inner.scopeState, new ClawError("CLAW-2010", "The iteration has ended"));
  return noteOf(outcome, number);
}

function noteOf(outcome: unknown, number: number): SavedNote {
  if (typeof outcome === "object" && outcome !== null) {
    if ("next" in outcome) return { next: number + 1, value: outcome.next };
    if ("done" in outcome) return { next: null, value: outcome.done };
  }
  throw new ClawError("CLAW-1001", "An iteration of a checkpoint must give {next} or {done}");
}

// Events that were taken stand in entries that go: without their numbers they would be taken again.
function encodeNote(state: RunState, note: SavedNote, payloadBytesMax: number): Payload {
  const events = takenEvents(state, limits.CHECKPOINT_EVENTS_MAX);
  if (events.length === 0) return encodePayload(note, payloadBytesMax);
  return encodePayload({ ...note, events }, payloadBytesMax);
}
