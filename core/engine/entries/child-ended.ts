import {
  type ChildOutcome,
  decodePayload,
  type Entry,
  type ErrorRecord,
  StepError,
} from "../../protocol/index.ts";
import type { Call } from "../call.ts";

const UNKNOWN: ErrorRecord = { name: "Error", message: "the child left no error" };

/** An attached child answers with its output, or throws the error that ended it. */
export function deliverChildEnded(entry: Entry, call: Call): void {
  const outcome = decodePayload(entry.data) as ChildOutcome;
  if (outcome.status === "completed") return call.resolve(decodePayload(outcome.output ?? ""));
  const error = outcome.error ?? UNKNOWN;
  // The child's cancellation is the child's: the parent must not look cancelled itself.
  const own = error.code === "CLAW-2003" ? { ...error, code: "CLAW-2008" } : error;
  call.reject(new StepError(own, call.id, 1, "CLAW-2008"));
}
