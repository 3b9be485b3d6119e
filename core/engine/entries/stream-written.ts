import { decodePayload, type Entry, type ErrorRecord, StepError } from "../../protocol/index.ts";
import type { Call } from "../call.ts";

/** A chunk was taken, or a stream closed; what forbade it is thrown in workflow code. */
export function deliverStreamWritten(entry: Entry, call: Call): void {
  if (entry.data === "") return call.resolve(undefined);
  const error = decodePayload(entry.data) as ErrorRecord;
  call.reject(new StepError(error, call.id, 1, "CLAW-2051"));
}
