import { ENTRY_KINDS } from "@claw/core/protocol";
import type { Ledger } from "../ledger.ts";
import type { ExpectedCall, Facts } from "../model.ts";
import { isStep, type StepStatement } from "../statement.ts";

/** Steps end as their bodies' fates say, and nothing that takes time ends early. */
export function checkSteps(
  ledger: Ledger,
  facts: Facts,
  calls: ReadonlyMap<string, ExpectedCall>,
  clockJumps: boolean,
): void {
  const { run, startedAt, entries } = facts;
  for (const [call, { statement, askedAt, closedAt, answer }] of calls) {
    if (answer === undefined || answer.kind === ENTRY_KINDS.callSkipped) continue;
    const asked = askedAt === 0 ? startedAt : (entries[askedAt - 1]?.at ?? 0);
    const name = (): string => `${run} ${call}: ${answer.kind} after attempt ${answer.attempt}`;
    if (isStep(statement)) {
      // To a clock that jumps, or a loop that stood still, a body in time may seem late or silent.
      if (clockJumps && statement.heartbeatMs + statement.timeoutMs > 0) continue;
      ledger.check(
        "a step ends as its body did",
        endsAs(statement, answer.kind, answer.attempt) ||
          (answer.seq > closedAt && lingersAs(statement, answer.kind, answer.attempt)),
        name,
      );
    } else if (statement.op === "sleep") {
      ledger.check("time never acts early", answer.at >= asked + statement.ms, name);
    } else if (answer.kind === ENTRY_KINDS.waitTimedOut && "timeoutMs" in statement) {
      ledger.check("time never acts early", answer.at >= asked + statement.timeoutMs, name);
    }
  }
}

// A step that nobody waits for any more is not tried again: its end is that of the attempt under way.
function lingersAs({ fate, undo }: StepStatement, kind: string, attempt: number): boolean {
  if (undo === null) return false;
  const mends = fate.kind === "slow" || fate.kind === "silent" || fate.kind === "flaky";
  const broke = mends ? attempt <= fate.times : true;
  if (kind === ENTRY_KINDS.stepFailed) return fate.kind !== "ok" && broke;
  const ends = fate.kind === "slow" || fate.kind === "silent" || fate.kind === "ok";
  return ends || (fate.kind === "flaky" && !broke);
}

function endsAs(statement: StepStatement, kind: string, attempt: number): boolean {
  const { fate, attempts } = statement;
  switch (fate.kind) {
    case "ok":
      return kind === ENTRY_KINDS.stepCompleted && attempt === 1;
    case "flaky":
      return kind === ENTRY_KINDS.stepCompleted && attempt === fate.times + 1;
    case "slow":
    case "silent":
      return kind === ENTRY_KINDS.stepCompleted ? attempt <= fate.times + 1 : attempt === attempts;
    case "final":
      return kind === ENTRY_KINDS.stepFailed && attempt === 1;
    default:
      return kind === ENTRY_KINDS.stepFailed && attempt === attempts;
  }
}
