import { closedBy, readKeyState, type RunState, setKeyState } from "@claw/core/engine";
import { CancelledError, ClawError, decodePayload, encodePayload } from "@claw/core/protocol";
import type { KeyState } from "@claw/sdk";
import type { RunContext } from "./context.ts";
import { initialOf } from "./key-view.ts";
import { checkSync } from "./registry.ts";

/** The state of a run's key for the code of one scope. Errors: CLAW-2044. */
export function keyStateFor(ctx: RunContext): KeyState {
  const { state, node, workflow } = ctx.activation;
  const { keyState } = state;
  if (keyState === null) {
    throw new ClawError("CLAW-2044", `"${state.start.workflow}" has no key, so no state`);
  }
  const mayRecord = (): boolean => !ctx.activation.onlyReads;
  return {
    get: () => {
      const initial = (): string => initialOf(node, workflow);
      // Who answers a client reads what is there, and records nothing; so does code whose activation has ended.
      if (ctx.activation.reading || ctx.activation.inert) {
        const { known, current } = keyState;
        return decodePayload(known ?? (current === "" ? initial() : current));
      }
      const call = ctx.scopeState.path + ctx.stateSegment("get");
      const seen = readKeyState(state, keyState, call, initial, mayRecord());
      return seen === null ? leaveReading(ctx) : decodePayload(seen);
    },
    set: (value) => {
      const call = ctx.scopeState.path + ctx.stateSegment("set");
      if (ctx.activation.inert) return;
      refuseClosed(ctx, state);
      const { name, options } = workflow;
      const what = `The state of "${name}"`;
      const checked: unknown = value === undefined ? value : checkSync(options.state, value, what);
      const payload = encodePayload(checked, node.limits.payloadBytesMax);
      if (!setKeyState(state, keyState, call, payload, mayRecord())) leaveReading(ctx);
      // With foreignAwait "warn" nothing else would write it.
      if (!ctx.activation.turnOpen) node.loop.wake(ctx.activation);
    },
  };
}

// What comes after it stands on what nobody knows yet: on the state that the run will see when it has its key, or on
// a change that is not durable.
function leaveReading({ activation }: RunContext): void {
  const why = `${activation.id} has not come to where its journal ends`;
  activation.visits?.refuse(new ClawError("CLAW-2015", why));
  activation.retire();
}

function refuseClosed({ scopeState }: RunContext, { cancelled }: RunState): void {
  const closed = closedBy(scopeState);
  if (closed !== null) throw closed;
  if (cancelled !== null && !scopeState.shielded) throw new CancelledError(cancelled);
}
