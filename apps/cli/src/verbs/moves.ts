import { once } from "node:events";
import { createWriteStream, existsSync, renameSync, rmSync } from "node:fs";
import { resolve } from "node:path";
import { ClawError, type RunStatus } from "@claw/core/protocol";
import type { ExportSelection, ImportReport, MoveProgress } from "@claw/runtime";
import { openLook } from "../compose.ts";
import type { Config } from "../config.ts";
import { findRunId } from "../find-run.ts";
import { openReader } from "../compose.ts";
import { openMoves } from "../move-control.ts";
import { hint, printData, printText } from "../terminal.ts";
import { sinceArgument } from "../values.ts";

/** Options of `claw export`. */
export interface ExportOptions {
  readonly workflow?: string;
  readonly status?: string;
  readonly since?: string;
  readonly out?: string;
  readonly plain?: boolean;
}

const PROGRESS_MS = 1_000;
/** The last line of an export begins so. */
const LAST_LINE = /(^|\n)\{"end":\{"runs":\d+,"sha256":"[0-9a-f]{64}"\}\}\n$/;
const LAST_LINE_CHARS = 200;

/** Writes runs as lines of text, to a file or to stdout. Reads the store file; needs an owner only for keys. */
export async function exportVerb(
  config: Config,
  runs: readonly string[],
  options: ExportOptions,
): Promise<void> {
  const selection = await selectionOf(config, runs, options);
  const { out } = options;
  const tell = progressTeller("exported");
  const lines =
    options.plain === true ? plainLines(config, selection) : storedLines(config, selection, tell);
  const { runs: count, bytes } =
    out === undefined ? await print(lines) : await write(lines, resolve(out));
  if (out !== undefined && config.format !== "table") {
    return printData({ path: resolve(out), runs: count, bytes }, config.format);
  }
  hint(`exported ${count} runs, ${sizeOf(bytes)}`);
  if (out !== undefined) printText(resolve(out));
}

/** Takes the runs of an export into the store. */
export async function importVerb(
  config: Config,
  file: string,
  options: { readonly resume?: boolean; readonly intoOtherNamespace: boolean },
): Promise<void> {
  const control = await openMoves(config);
  try {
    const { resume = false, intoOtherNamespace } = options;
    const onProgress = progressTeller("imported");
    const report = await control.importFile(resolve(file), {
      resume,
      intoOtherNamespace,
      onProgress,
    });
    if (config.format === "table") printText(linesOf(report).join("\n"));
    else printData(report, config.format);
    if (report.held > 0) {
      hint("held runs go on with: claw import --resume on the same file, or claw resume RUN");
      hint("first make sure that they do not go on in the store that they come from");
    }
  } finally {
    await control.close();
  }
}

async function selectionOf(
  config: Config,
  runs: readonly string[],
  { workflow, status, since }: ExportOptions,
): Promise<ExportSelection> {
  if (runs.length === 0) {
    return {
      ...(workflow === undefined ? {} : { workflow }),
      ...(status === undefined ? {} : { status: status as RunStatus }),
      ...(since === undefined ? {} : { since: sinceArgument(since, Date.now()) }),
    };
  }
  if (workflow !== undefined || status !== undefined || since !== undefined) {
    throw new ClawError("CLAW-5010", "Name runs, or say which with options; not both");
  }
  const reader = await openReader(config);
  try {
    const ids: string[] = [];
    for (const text of runs) ids.push(await findRunId(reader, text));
    return { runs: ids };
  } finally {
    reader.close();
  }
}

async function* storedLines(
  config: Config,
  selection: ExportSelection,
  onProgress: (progress: MoveProgress) => void,
): AsyncGenerator<string> {
  const [{ exportRuns }, { look, store }] = await Promise.all([
    import("@claw/runtime"),
    openLook(config),
  ]);
  try {
    const { namespace } = config;
    yield* exportRuns({ look, namespace, store, nowMs: Date.now(), onProgress }, selection);
  } finally {
    await look.close();
  }
}

async function* plainLines(config: Config, selection: ExportSelection): AsyncGenerator<string> {
  const control = await openMoves(config);
  let end = "";
  try {
    for await (const text of control.exportPlain(selection)) {
      end = (end + text).slice(-LAST_LINE_CHARS);
      yield text;
    }
  } finally {
    await control.close();
  }
  if (!LAST_LINE.test(end))
    throw new ClawError("CLAW-5006", "The owner ended in the middle of the export");
}

interface Written {
  readonly runs: number;
  readonly bytes: number;
}

async function print(lines: AsyncIterable<string>): Promise<Written> {
  return pour(lines, (text) => process.stdout.write(text), process.stdout);
}

// Under its name the file appears only when it is whole, readable for its user alone.
async function write(lines: AsyncIterable<string>, path: string): Promise<Written> {
  const refuse = (why: string): never => {
    throw new ClawError("CLAW-4066", why);
  };
  if (existsSync(path)) refuse(`${path} exists already`);
  const partial = `${path}.partial`;
  const file = createWriteStream(partial, { mode: 0o600, flush: true });
  const failed = once(file, "error").then(([error]) => refuse((error as Error).message));
  failed.catch(() => {});
  try {
    const written = await Promise.race([failed, pour(lines, (text) => file.write(text), file)]);
    const closed = once(file, "close");
    file.end();
    await Promise.race([failed, closed]);
    if (existsSync(path)) refuse(`${path} exists already`);
    renameSync(partial, path);
    return written;
  } finally {
    file.destroy();
    rmSync(partial, { force: true });
  }
}

async function pour(
  lines: AsyncIterable<string>,
  put: (text: string) => boolean,
  drain: NodeJS.EventEmitter,
): Promise<Written> {
  let bytes = 0;
  let end = "";
  for await (const text of lines) {
    bytes += Buffer.byteLength(text);
    end = (end + text).slice(-LAST_LINE_CHARS);
    if (!put(text)) await once(drain, "drain");
  }
  return { runs: Number(/"runs":(\d+),"sha256":"[0-9a-f]+"\}\}\n$/.exec(end)?.[1] ?? 0), bytes };
}

// Says how far it has come, a line a second, and nothing of what is done within one.
function progressTeller(verb: string): (progress: MoveProgress) => void {
  let toldAt = Date.now();
  return ({ runs, of, bytes }) => {
    const now = Date.now();
    if (now - toldAt < PROGRESS_MS) return;
    toldAt = now;
    hint(`${verb} ${runs}${of === null ? "" : ` of ${of}`} runs, ${sizeOf(bytes)}`);
  };
}

function sizeOf(bytes: number): string {
  if (bytes < 10_000) return `${bytes} bytes`;
  return bytes < 10_000_000 ? `${Math.round(bytes / 1_000)} kB` : `${Math.round(bytes / 1e6)} MB`;
}

function linesOf(report: ImportReport): string[] {
  const { namespace, runs, imported, known, held, resumed, codecs, keysTaken } = report;
  const rows: [string, string | number][] = [
    ["namespace", namespace],
    ["in the file", runs],
    ["imported", imported],
    ["known", known],
    ["held", held],
    ["resumed", resumed],
  ];
  if (codecs.length > 0) rows.push(["codecs", `${codecs.join(", ")}: needed to read their values`]);
  if (keysTaken.length > 0)
    rows.push(["keys", `of ${keysTaken.join(", ")} are another run's here`]);
  return rows.map(([name, value]) => `${name.padEnd(12)} ${value}`);
}
