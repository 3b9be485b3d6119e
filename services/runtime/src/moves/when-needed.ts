import type { PayloadCodec } from "@claw/core/ports";
import type { RunRecord } from "@claw/core/protocol";
import type { ExportSelection, ExportSource } from "./export-runs.ts";
import type { ExportBytes } from "./import-runs.ts";

// Few processes move runs: their code is loaded with the first use, so that all others start sooner.

/**
 * Writes runs as text, a chunk of lines at a time; never more than one run's journal and one part of a large payload are in
 * memory (with `sealer`: one large payload). With an open run come the runs that it cannot do without.
 * Errors: CLAW-3001, CLAW-4002, CLAW-4011.
 */
export async function* exportRuns(
  source: ExportSource,
  selection: ExportSelection = {},
): AsyncGenerator<string> {
  const moves = await import("./export-runs.ts");
  yield* moves.exportRuns(source, selection);
}

/**
 * The runs of an export with their payloads opened, large ones too, for whoever looks at them one by one. Nothing is given
 * of a run that did not come whole.
 * Errors: CLAW-4061, CLAW-4062, CLAW-4011 a codec or key is missing.
 */
export async function* readRecords(
  bytes: ExportBytes,
  codec?: PayloadCodec | readonly PayloadCodec[],
): AsyncGenerator<RunRecord> {
  const moves = await import("./read-archives.ts");
  yield* moves.readRecords(bytes, codec);
}
