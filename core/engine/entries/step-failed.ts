import { decodePayload, type Entry, type ErrorRecord, StepError } from "../../protocol/index.ts";
import type { Call } from "../call.ts";

/** A step that gave up throws its last error in workflow code; so does a start that was refused. */
export function deliverStepFailed(entry: Entry, call: Call): void {
  const error = decodePayload(entry.data) as ErrorRecord;
  call.reject(new StepError(error, call.id, entry.attempt, "CLAW-2001"));
}
