import type { Transition } from "@claw/core/ports";
import { ENTRY_KINDS } from "@claw/core/protocol";
import type { Prediction } from "../model.ts";
import type { World } from "../world.ts";

/** A generation has ended: what was taken for its code, and had not come to it yet, goes to the next one. */
export function checkPutBack(
  { ledger }: World,
  { run, rare, messages }: Transition,
  { calls, goesOnAt }: Prediction,
): void {
  const back = [...(rare?.renewal?.inbox ?? []), ...messages.filter(({ to }) => to === run)];
  for (const [call, { statement, answer, closedAt }] of calls) {
    if (answer === undefined || answer.seq <= goesOnAt || closedAt <= goesOnAt) continue;
    const isDecision = answer.kind === ENTRY_KINDS.approvalDecided;
    if (!isDecision && answer.kind !== ENTRY_KINDS.signalReceived) continue;
    const name = statement.op === "receive" ? statement.signal : call;
    ledger.count(isDecision ? "decision put back" : "signal put back");
    ledger.check(
      "what was taken and not seen is put back",
      back.some((row) => row.name === name && row.data === answer.data),
      () => `${run} ${call}`,
    );
  }
}
