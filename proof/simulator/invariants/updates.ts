import { type ChildOutcome, decodePayload, ENTRY_KINDS } from "@claw/core/protocol";
import type { Ledger } from "../ledger.ts";
import type { Facts, Prediction } from "../model.ts";

/** Updates end as their handlers do; one whose end is foreseen may still have been abandoned by the end of its run. */
export function checkUpdates(
  ledger: Ledger,
  { run, entries, begins }: Facts,
  { updates }: Prediction,
): void {
  for (const { kind, call, data } of entries.slice(begins)) {
    if (kind !== ENTRY_KINDS.updateEnded) continue;
    const expected = updates?.get(call) ?? null;
    if (expected === null) continue;
    const { status, output, error } = decodePayload(data) as ChildOutcome;
    const found = status === "completed" ? { output } : { code: error?.code };
    ledger.check(
      "an update ends as its handler does",
      JSON.stringify(found) === JSON.stringify(expected),
      () => `${run} ${call}: ${JSON.stringify(found)} is not ${JSON.stringify(expected)}`,
    );
  }
}
