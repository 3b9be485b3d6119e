import {
  type Entry,
  ENTRY_KINDS,
  isCoded,
  type Payload,
  type RunArchive,
} from "@claw/core/protocol";

type Archive = Omit<RunArchive, "request">;

/**
 * Compares a run of a file with the one of its id in the store. They are the same run when they began alike and what both
 * remember is alike; one of them may have gone on. Null when they are the same, else what differs.
 */
export function sameRun(file: Archive, store: Archive): string | null {
  const [a, b] = [file.start, store.start];
  if (a.namespace !== b.namespace) return "it is of another namespace";
  if (a.workflow !== b.workflow || a.version !== b.version) return "it is of another workflow";
  if (a.startedAt !== b.startedAt || a.cause !== b.cause) return "it was started otherwise";
  if (a.parentRun !== b.parentRun || a.parentCall !== b.parentCall) return "it has another parent";
  const [ownGeneration, otherGeneration] = [file.generations.length, store.generations.length];
  // Their journals and inputs are those of other generations.
  if (ownGeneration !== otherGeneration) return null;
  if (!alike(a.input, b.input)) return "it has another input";
  if (file.ending !== null && store.ending !== null) {
    if (file.ending.status !== store.ending.status) return "it ended otherwise";
    if (!alike(file.ending.output, store.ending.output)) return "it has another output";
  }
  return sameJournal(file.journal, store.journal);
}

// Entries of one number: checkpoints remove some, and a move adds one.
function sameJournal(file: readonly Entry[], store: readonly Entry[]): string | null {
  const there = new Map(store.map((entry) => [entry.seq, entry]));
  for (const entry of file) {
    const other = there.get(entry.seq);
    if (other === undefined) continue;
    // From here on one of them went another way: it was moved while the other went on, or saved a state.
    if (other.kind !== entry.kind && (isOwn(other) || isOwn(entry))) return null;
    const isSame =
      other.kind === entry.kind &&
      other.call === entry.call &&
      other.at === entry.at &&
      other.attempt === entry.attempt &&
      other.print === entry.print &&
      alike(other.data, entry.data);
    if (!isSame) return `entry ${entry.seq} differs`;
  }
  return null;
}

function isOwn({ kind }: Entry): boolean {
  return kind === ENTRY_KINDS.moved || kind === ENTRY_KINDS.stateSaved;
}

// What was encoded may have been encoded anew.
function alike(a: Payload, b: Payload): boolean {
  return a === b || isCoded(a) || isCoded(b);
}
