import { decodePayload, type Entry, type SkipNote } from "../../protocol/index.ts";
import type { Call } from "../call.ts";

/** A skipped call answers with the operator's value; a sleep is over. */
export function deliverCallSkipped(entry: Entry, call: Call): void {
  const { value } = decodePayload(entry.data) as SkipNote;
  const { plan } = call;
  if (plan.kind === "sleep") return call.resolve(undefined);
  const waits = plan.kind === "signal" || plan.kind === "event" || plan.kind === "approval";
  const isTagged = waits && !plan.bare;
  call.resolve(isTagged ? { ok: true, value } : value);
}
