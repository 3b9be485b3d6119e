import { ENTRY_KINDS, type Entry } from "../../protocol/index.ts";
import type { Call } from "../call.ts";
import type { RunState } from "../run-state.ts";
import { deliverCallSkipped } from "./call-skipped.ts";
import { deliverApprovalDecided } from "./approval-decided.ts";
import { deliverChildEnded } from "./child-ended.ts";
import { deliverEventReceived } from "./event-received.ts";
import { deliverPlainValue } from "./plain-value.ts";
import { deliverSignalReceived } from "./signal-received.ts";
import { deliverStateSaved } from "./state-saved.ts";
import { deliverStepFailed } from "./step-failed.ts";
import { deliverStreamWritten } from "./stream-written.ts";
import { deliverWaitTimedOut } from "./wait-timed-out.ts";

/** Answers the promise of a call with what its entry says. The same code live and at replay. */
export function deliverEntry(run: RunState, entry: Entry, call: Call): void {
  switch (entry.kind) {
    case ENTRY_KINDS.stepFailed:
    case ENTRY_KINDS.startRefused:
      return deliverStepFailed(entry, call);
    case ENTRY_KINDS.childEnded:
      return deliverChildEnded(entry, call);
    case ENTRY_KINDS.signalReceived:
      return deliverSignalReceived(entry, call);
    case ENTRY_KINDS.approvalDecided:
      return deliverApprovalDecided(entry, call);
    case ENTRY_KINDS.eventReceived:
      return deliverEventReceived(run, entry, call);
    case ENTRY_KINDS.waitTimedOut:
      return deliverWaitTimedOut(call);
    case ENTRY_KINDS.callSkipped:
      return deliverCallSkipped(entry, call);
    case ENTRY_KINDS.streamWritten:
      return deliverStreamWritten(entry, call);
    case ENTRY_KINDS.stateSaved:
      return deliverStateSaved(run, entry, call);
    case ENTRY_KINDS.attributesSet:
      return deliverPlainValue({ ...entry, data: "" }, call);
    default:
      return deliverPlainValue(entry, call);
  }
}
