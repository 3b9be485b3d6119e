import {
  ARCHIVE_VERSION,
  type ClosedStatus,
  type Hold,
  type RunArchive,
  type RunRecord,
  type RunStatus,
} from "@claw/core/protocol";
import { EXPORT_FORMAT, LineWriter } from "./export-lines.ts";
import { type ExportHeader, recordsOf } from "./export-records.ts";

const HOLDS: readonly RunStatus[] = [
  "diverged",
  "bug",
  "stuck",
  "no_code",
  "paused",
  "quarantined",
  "unreadable",
];

/**
 * The export of a run that `claw.find` gave: for replays. What a record does not hold (messages, streams, the queue of a
 * key) is not in it; `claw.exportRuns` has everything.
 */
export function exportRecord(record: RunRecord): string {
  const writer = new LineWriter();
  const header: ExportHeader = {
    claw: "export",
    format: EXPORT_FORMAT,
    archive: ARCHIVE_VERSION,
    store: "record",
    namespace: record.namespace,
    exportedAt: record.endedAt ?? record.journal.at(-1)?.at ?? record.startedAt,
    runs: 1,
    payloads: "plain",
  };
  let text = writer.line(header);
  writer.beginRun();
  for (const one of recordsOf(archiveOf(record))) text += writer.line(one);
  const { lines, digest } = writer.endRun();
  text += writer.line({ end: { run: record.id, lines, sha256: digest } });
  return text + writer.line({ end: { runs: 1, sha256: writer.endFile() } });
}

function archiveOf(record: RunRecord): RunArchive {
  const { id, namespace, workflow, version, input, startedAt, parentRun, parentCall, cause } =
    record;
  const { journal, generations = [], attributes, status, endedAt, output, error } = record;
  const held = HOLDS.includes(status) ? (status as Hold) : "";
  return {
    start: { id, namespace, workflow, version, input, startedAt, parentRun, parentCall, cause },
    seq: journal.at(-1)?.seq ?? 0,
    keyName: record.queue?.key ?? "",
    journal,
    generations,
    attributes,
    streams: { heads: [], blocks: [] },
    request: null,
    open:
      endedAt !== null
        ? null
        : {
            phase: status === "compensating" ? "compensating" : "",
            held,
            heldReason: held === "" ? "" : record.reason,
            inbox: [],
            key: null,
          },
    ending:
      endedAt === null
        ? null
        : {
            status: status as ClosedStatus,
            endedAt,
            output,
            error,
            abandoned: record.abandoned,
          },
  };
}
