import { closeApproval } from "../approvals.ts";
import type { Call } from "../call.ts";
import { extrasOf } from "../draft.ts";
import { draftOf, type RunState } from "../run-state.ts";
import { isWithin, type Scope } from "../scope.ts";
import { dropWait } from "../subscriptions.ts";
import { linger } from "../undo-stack.ts";
import { letGo } from "./let-go-child.ts";

/** Closes a scope: its open calls throw `error`, later calls in it as well. */
export function closeScope(run: RunState, scope: Scope, error: Error): void {
  if (scope.closed !== null) return;
  scope.closed = error;
  for (const call of run.open) if (isWithin(call.scope, scope)) closeCall(run, call, error);
}

/** Closes one open call: its promise throws, its counterpart is withdrawn, a late result is refused. */
export function closeCall(run: RunState, call: Call, error: Error): void {
  call.open = false;
  run.open.delete(call);
  linger(run, call);
  run.closedCalls.push(call);
  withdraw(run, call, error.message);
  call.reject(error);
}

/** Takes back what a call left outside: its subscription, its approval; its child by the child's policy. */
export function withdraw(run: RunState, call: Call, reason: string): void {
  if (call.plan.kind === "event" && run.subscriptions?.calls.delete(call.id) === true) {
    // Stores end subscriptions before they begin new ones, so one not sent yet must not be sent.
    dropWait(run, call.id);
    extrasOf(draftOf(run)).unwaits.push(call.id);
  }
  if (call.plan.kind === "approval") closeApproval(run, call.id);
  if (call.plan.kind === "child" && call.begun) letGo(run, call, reason);
}
