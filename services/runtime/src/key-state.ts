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
  return {
    get: () => {
      const initial = (): string => initialOf(node, workflow);
      // Who answers a client reads what is there, and records nothing; so does code whose activation has ended.
      if (ctx.activation.reading || ctx.activation.inert) {
        const { known, current } = keyState;
        return decodePayload(known ?? (current === "" ? initial() : current));
      }
      const call = ctx.scopeState.path + ctx.stateSegment("get");
      const now = node.clock.now();
      return decodePayload(readKeyState(state, keyState, call, initial, now));
    },
    set: (value) => {
      const call = ctx.scopeState.path + ctx.stateSegment("set");
      if (ctx.activation.inert) return;
      refuseClosed(ctx, state);
      const { name, options } = workflow;
      const what = `The state of "${name}"`;
      const checked: unknown = value === undefined ? value : checkSync(options.state, value, what);
      const payload = encodePayload(checked, node.limits.payloadBytesMax);
      setKeyState(state, keyState, call, payload, node.clock.now());
      // With foreignAwait "warn" nothing else would write it.
      if (!ctx.activation.turnOpen) node.loop.wake(ctx.activation);
    },
  };
}

function refuseClosed({ scopeState }: RunContext, { cancelled }: RunState): void {
  const closed = closedBy(scopeState);
  if (closed !== null) throw closed;
  if (cancelled !== null && !scopeState.shielded) throw new CancelledError(cancelled);
}
