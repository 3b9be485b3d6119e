import { CancelledError } from "../../protocol/index.ts";
import type { Call } from "../call.ts";
import { takeRecord } from "../records.ts";
import type { RunState } from "../run-state.ts";
import { closedBy } from "../scope.ts";

/**
 * Workflow code asks for a call. A record of it is taken up and delivered in its turn; without a
 * record the call begins at the close of the turn, or when the replay has ended.
 */
export function askCall(run: RunState, call: Call): void {
  const closed = closedBy(call.scope);
  if (closed !== null) return refuse(call, closed);
  call.askedIn = run.turn;
  const shielded = call.scope.shielded || (call.plan.kind === "step" && call.plan.shielded);
  if (run.cancelled !== null && !shielded) {
    return refuse(call, new CancelledError(run.cancelled));
  }
  run.open.add(call);
  const recorded = run.records === null ? null : takeRecord(run, call.id);
  if (recorded === null) {
    run.asked.push(call);
    return;
  }
  const sameKind = recorded.kindGroup === "" || recorded.kindGroup === call.plan.kind;
  if (!sameKind || recorded.print !== call.print) {
    run.divergence ??= {
      call: call.id,
      recorded: `${recorded.kindGroup || "wait"} ${recorded.print}`,
      asked: `${call.plan.kind} ${call.print}`,
    };
  }
  call.attempt = recorded.attempt;
  if (recorded.dueAt > 0) call.dueAt = recorded.dueAt;
  call.begun = recorded.begun;
  if (recorded.item === null) {
    run.asked.push(call);
  } else {
    recorded.item.call = call;
    call.answered = true;
  }
}

function refuse(call: Call, error: Error): void {
  call.open = false;
  call.reject(error);
}
