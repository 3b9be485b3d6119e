import { type Entry, ENTRY_KINDS } from "@claw/core/protocol";
import type { World } from "../world.ts";

/**
 * A fork has exactly what its run had before the end of the chosen call, but for attempts of that call, children that
 * were open or ended for nobody, and decisions that met nobody; before its first entry stands a note.
 */
export function checkFork(
  { truth, ledger }: World,
  before: readonly Entry[],
  from: string,
  id: string,
): void {
  const fork = truth.runs.get(id);
  ledger.check("an acknowledged fork is durable", fork !== undefined, () => id);
  if (fork === undefined) return;
  const { attemptFailed, childStarted, childUnused, decisionUnused } = ENTRY_KINDS;
  const { forked, undoPlanned, cancelRequested } = ENTRY_KINDS;
  const noEnds: readonly string[] = [attemptFailed, childStarted, childUnused, decisionUnused];
  const dropped: readonly string[] = [forked, undoPlanned, childUnused, decisionUnused];
  const endOf = (call: string): number =>
    before.findIndex((one) => one.call === call && !noEnds.includes(one.kind));
  const cancelled = before.findIndex(({ kind }) => kind === cancelRequested);
  // A retry of a cancelled run begins before it was cancelled, of a terminated one at its end.
  const end = from !== "" ? endOf(from) : cancelled >= 0 ? cancelled : before.length;
  const expected = before.slice(0, end).filter(({ kind, call }) => {
    if (dropped.includes(kind)) return false;
    if (kind === attemptFailed) return call !== from;
    return kind !== childStarted || (endOf(call) >= 0 && endOf(call) < end);
  });
  const [note, ...found] = fork.entries;
  const same = expected.every((one, at) => sameEntry(one, found[at]));
  ledger.check(
    "a fork keeps exactly what was before the call",
    note?.kind === forked && fork.forkedAt === expected.length + 1 && same,
    () => `${id} before ${from}: ${fork.forkedAt - 1} entries, not ${expected.length}`,
  );
}

function sameEntry(one: Entry, other: Entry | undefined): boolean {
  return (
    other !== undefined &&
    one.kind === other.kind &&
    one.call === other.call &&
    one.data === other.data &&
    one.at === other.at
  );
}
