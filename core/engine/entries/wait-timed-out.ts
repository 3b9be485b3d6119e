import type { Call } from "../call.ts";

/** A receive or waitFor that ran out of time is a result, not an error. */
export function deliverWaitTimedOut(call: Call): void {
  call.resolve({ ok: false, reason: "timeout" });
}
