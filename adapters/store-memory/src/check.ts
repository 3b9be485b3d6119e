import type { Finding } from "@claw/core/ports";
import {
  childrenOf,
  decodeEntries,
  type Entry,
  numberAfter,
  type RunId,
} from "@claw/core/protocol";
import { checkKeys } from "./check-keys.ts";
import type { MemoryDisk } from "./memory-disk.ts";

/** Rows that contradict each other; empty when sound. */
export function checkDisk(disk: MemoryDisk): readonly Finding[] {
  const findings: Finding[] = [];
  const report = (message: string): void => {
    findings.push({ severity: "error", message });
  };
  checkRuns(disk, report);
  checkOwners(disk, report);
  checkCounterparts(disk, report);
  checkJournals(disk, report);
  checkStreams(disk, report);
  checkKeys(disk, report);
  return findings;
}

type Report = (message: string) => void;

function checkRuns(disk: MemoryDisk, report: Report): void {
  for (const { id, due, waits, held, parentRun } of disk.runs.values()) {
    if (due === null && waits <= 0 && held === "") {
      report(`run ${id} is stranded: nothing will wake it`);
    }
    if (due === 0 && disk.nodes.areThere && !disk.owners.has(id)) {
      report(`run ${id} is in the memory of nobody`);
    }
    if (disk.closed.has(id)) report(`run ${id} is open and closed at once`);
    if (due === null && held === "" && waits < waitsOf(disk, id)) {
      report(`run ${id} rests with ${waits} waits but has more subscriptions`);
    }
    if (parentRun !== "" && !isKnown(disk, parentRun)) {
      report(`run ${id} says it was started by ${parentRun}, which is unknown`);
    }
  }
}

function checkOwners(disk: MemoryDisk, report: Report): void {
  if (!disk.nodes.areThere) return;
  for (const [run, owner] of disk.owners.entries()) {
    if (!disk.runs.has(run)) report(`${run} is no open run, and incarnation ${owner} holds it`);
    if (disk.nodes.live(owner) === undefined)
      report(`incarnation ${owner} ended, and holds ${run}`);
  }
}

function checkCounterparts(disk: MemoryDisk, report: Report): void {
  for (const [run, messages] of disk.inbox.entries()) {
    const { inboxSeq } = disk.runs.get(run) ?? {};
    for (const { seq } of messages) {
      if (inboxSeq === undefined) report(`inbox row ${seq} of ${run} belongs to no open run`);
      else if (seq > inboxSeq) {
        report(`inbox row ${seq} of ${run} is beyond its counter ${inboxSeq}`);
      }
    }
  }
  for (const [run, approvals] of disk.approvals.entries()) {
    if (disk.runs.has(run)) continue;
    for (const { call } of approvals) {
      report(`approval of ${run} for ${call} belongs to no open run`);
    }
  }
  for (const [run, waits] of disk.waitsByRun.entries()) {
    for (const { call, key } of waits) {
      if (!disk.runs.has(run)) report(`subscription of ${run} for ${call} belongs to no open run`);
      if (!disk.waitsByKey.of(key).some((other) => other.run === run && other.call === call)) {
        report(`subscription of ${run} for ${call} is not found by its key`);
      }
    }
  }
}

function waitsOf(disk: MemoryDisk, id: RunId): number {
  return disk.waitsByRun.of(id).length + disk.approvals.of(id).length;
}

function checkJournals(disk: MemoryDisk, report: Report): void {
  for (const [run] of disk.journal.entries()) {
    if (!disk.runs.has(run) && disk.closed.get(run)?.journal !== null) {
      report(`journal rows of ${run} belong to no run`);
    }
  }
  for (const row of disk.closed.values()) {
    const { id, seq, journal, startedAt } = row;
    const entries =
      journal === null
        ? readRows(disk, id, startedAt, report)
        : decodeEntries(journal, 1, startedAt);
    if ((entries.at(-1)?.seq ?? 0) !== seq) {
      report(`closed run ${id} has another number of entries than ${seq}`);
    }
  }
  for (const { id, seq, startedAt } of disk.runs.values()) {
    const entries = readRows(disk, id, startedAt, report);
    const last = entries.at(-1)?.seq ?? 0;
    if (seq > last) {
      report(`journal of ${id} has ${last} entries, its row says ${seq}`);
    }
    for (const { run: child, ended } of childrenOf(entries).values()) {
      if (ended || isKnown(disk, child)) continue;
      // A child that was not created has answered nevertheless.
      const told = disk.inbox.of(id).some(({ kind, from }) => kind === "child" && from === child);
      if (!told) report(`run ${id} waits for ${child}, which is unknown`);
    }
  }
}

function readRows(disk: MemoryDisk, id: RunId, startedAt: number, report: Report): Entry[] {
  const entries: Entry[] = [];
  let next = 1;
  for (const row of disk.journal.of(id)) {
    if (row.seq !== next) report(`journal of ${id} has entry ${row.seq} after entry ${next - 1}`);
    next = numberAfter(row.entries, row.seq);
    entries.push(...decodeEntries(row.entries, row.seq, startedAt));
  }
  return entries;
}

function isKnown(disk: MemoryDisk, id: RunId): boolean {
  return disk.runs.has(id) || disk.closed.has(id);
}

function checkStreams(disk: MemoryDisk, report: Report): void {
  for (const [run, blocks] of disk.chunks.entries()) {
    for (const { seq, stream } of blocks) {
      if (!isKnown(disk, run)) report(`chunk ${seq} of ${run} belongs to no run`);
      if (!disk.streams.of(run).some(({ name }) => name === stream)) {
        report(`chunk ${seq} of ${run} is in no known stream`);
      }
    }
  }
  for (const [run, heads] of disk.streams.entries()) {
    for (const { name, chunks } of heads) {
      const own = disk.chunks.of(run).filter(({ stream }) => stream === name);
      if (own.reduce((sum, { count }) => sum + count, 0) !== chunks) {
        report(`stream ${name} of ${run} has another number of chunks than ${chunks}`);
      }
    }
  }
}
