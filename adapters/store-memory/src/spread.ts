import type { InboxRow, Message, RunId } from "@claw/core/protocol";
import { pushMessage } from "./deliver-message.ts";
import type { MemoryDisk, SpreadRow, WaitRow } from "./memory-disk.ts";

/** The one name under which all spreads are kept. */
const ALL = "";

/** True while an event is owed to waiting calls. */
export function owesEvents(disk: MemoryDisk): boolean {
  return disk.spreads.of(ALL).length > 0;
}

/** The newest event that is owed under a key; 0 for none. */
export function newestSpread(disk: MemoryDisk, key: string): number {
  return disk.spreads.of(ALL).findLast((one) => one.key === key)?.seq ?? 0;
}

/** Answers all calls that wait under `key`; of more than one commit should answer, later commits do. */
export function answerWaits(
  disk: MemoryDisk,
  key: string,
  seq: number,
  note: string,
  delivered: InboxRow[],
): void {
  const waiting = inOrder(disk.waitsByKey.of(key));
  if (waiting.length === 0) return;
  const others = disk.spreads.of(ALL);
  if (waiting.length > disk.spreadRows || others.some((one) => one.key === key)) {
    disk.spreads.add(ALL, { seq, key, note });
    return;
  }
  for (const wait of waiting) {
    settleSpreads(disk, wait.run, seq, delivered);
    answer(disk, wait, note, delivered);
  }
}

/** Answers the next calls that wait for the oldest event. */
export function goOnSpreading(disk: MemoryDisk, delivered: InboxRow[]): void {
  const [oldest] = disk.spreads.of(ALL);
  if (oldest === undefined) return;
  const waiting = inOrder(owedUnder(disk, oldest));
  for (const wait of waiting.slice(0, disk.spreadRows)) answer(disk, wait, oldest.note, delivered);
  if (waiting.length < disk.spreadRows) disk.spreads.keep(ALL, (one) => one !== oldest);
}

/** Gives a run what is owed to it of events before number `seq`. */
export function settleSpreads(
  disk: MemoryDisk,
  run: RunId,
  seq: number,
  delivered: InboxRow[],
): void {
  for (const spread of disk.spreads.of(ALL)) {
    if (spread.seq >= seq) continue;
    const owed = owedUnder(disk, spread).filter((wait) => wait.run === run);
    for (const wait of inOrder(owed)) answer(disk, wait, spread.note, delivered);
  }
}

/** The message that tells a call of an event. Who published it is in its source: no run has sent it. */
export function toCall(to: RunId, call: string, note: string): Message {
  return { to, kind: "event", name: call, from: "", data: note };
}

function owedUnder(disk: MemoryDisk, { key, seq }: SpreadRow): readonly WaitRow[] {
  return disk.waitsByKey.of(key).filter(({ beyond }) => beyond < seq);
}

function answer(
  disk: MemoryDisk,
  { key, run, call }: WaitRow,
  note: string,
  delivered: InboxRow[],
): void {
  disk.waitsByKey.keep(key, (other) => other.run !== run || other.call !== call);
  disk.waitsByRun.keep(run, (other) => other.key !== key || other.call !== call);
  pushMessage(disk, toCall(run, call, note), delivered);
}

function inOrder(waits: readonly WaitRow[]): readonly WaitRow[] {
  return [...waits].sort((a, b) =>
    a.run === b.run ? compare(a.call, b.call) : compare(a.run, b.run),
  );
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
