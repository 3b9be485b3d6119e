import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Batch, PayloadCodec, Store, StoredRun, Transition } from "@claw/core/ports";
import {
  describeError,
  encodeEntry,
  ENTRY_KINDS,
  type Hold,
  Journal,
  keyForReplay,
  limits,
  recordError,
} from "@claw/core/protocol";
import type { AnyWorkflow } from "@claw/sdk";
import { memoryStore } from "@claw/store-memory";
import { type ReadHistory, readHistories, unreadable } from "./history.ts";
import { Host } from "./host.ts";
import { drain, RealTime } from "./real-time.ts";
import { SeededRandom } from "./seeded-random.ts";
import { VirtualClock } from "./virtual-clock.ts";
import { watchWorkflow } from "./watched-workflow.ts";

const REAL_WAIT_MS = 2_000;

/** What histories are replayed against. */
export interface ReplayOptions {
  /** The code under test. */
  readonly workflows: readonly AnyWorkflow[];
  /** Longest real time that code with `foreignAwait: "warn"` is waited for, milliseconds. Default 2,000. */
  readonly realWaitMs?: number;
  /** Decodes what the runs of an export were stored with. Default: none; what is compressed is read without. */
  readonly codec?: PayloadCodec | readonly PayloadCodec[];
}

/**
 * What code makes of a history. Where it agrees, `end` says how it goes on where the history ends: `same` it
 * ends alike; `other` it ends with another result; `beyond` it asks for more; `open` the recorded
 * run had not ended either. Where it does not, a runtime would hold the run as `held`.
 */
export type ReplayVerdict =
  | {
      readonly ok: true;
      readonly end: "same" | "other" | "beyond" | "open";
      /** What the code does there, for people. */
      readonly note: string;
    }
  | { readonly ok: false; readonly held: Hold; readonly divergence: string };

/** The verdicts on a folder. */
export interface FolderVerdict {
  /** True when the code agrees with every history. */
  readonly ok: boolean;
  /** One for each file, by its name. */
  readonly results: readonly {
    readonly file: string;
    readonly run: string;
    readonly verdict: ReplayVerdict;
  }[];
  /** One line for each history that the code does not agree with. */
  readonly divergences: readonly string[];
}

/**
 * Runs the code over a recorded history, as a restarted runtime would: recorded calls get their recorded answers, no
 * body runs, nothing is written. Errors: CLAW-6005 for something that is no history, CLAW-1001, CLAW-1002.
 */
export async function replayHistory(
  history: unknown,
  options: ReplayOptions,
): Promise<ReplayVerdict> {
  const [read, another] = await readHistories(history, options.codec);
  if (read === undefined) throw unreadable("it has no runs");
  if (another !== undefined) throw unreadable("it has several runs: use replayFolder");
  return replayOne(read, options);
}

function replayOne(read: ReadHistory, options: ReplayOptions): Promise<ReplayVerdict> {
  const { workflow, version } = read;
  const isThere = options.workflows.some((one) => one.name === workflow && one.version === version);
  if (!isThere) {
    const divergence = `workflow ${workflow}@${version} is not defined here`;
    return Promise.resolve({ ok: false, held: "no_code", divergence });
  }
  return new Replay(read, options).run();
}

/**
 * Replays the runs of every `.jsonl` file (`claw export`) and `.json` file (`claw show -o json`) of a folder. Errors: CLAW-6005 names the file; also when there is none. */
export async function replayFolder(path: string, options: ReplayOptions): Promise<FolderVerdict> {
  const files = (await readdir(path)).filter((file) => /\.jsonl?$/.test(file)).sort();
  if (files.length === 0) throw unreadable(`${path} has no .jsonl file`);
  const results: FolderVerdict["results"][number][] = [];
  for (const file of files) {
    const given = await readGiven(join(path, file));
    try {
      for (const read of await readHistories(given, options.codec)) {
        results.push({ file, run: read.id, verdict: await replayOne(read, options) });
      }
    } catch (error) {
      throw unreadable(`${file}: ${describeError(recordError(error))}`);
    }
  }
  const divergences = results.flatMap(({ file, verdict }) =>
    verdict.ok ? [] : `${file}: ${verdict.held}: ${verdict.divergence}`,
  );
  return { ok: divergences.length === 0, results, divergences };
}

async function readGiven(file: string): Promise<unknown> {
  try {
    const text = await readFile(file, "utf8");
    return file.endsWith(".jsonl") ? text : (JSON.parse(text) as unknown);
  } catch (error) {
    throw unreadable(`${file}: ${describeError(recordError(error))}`);
  }
}

/** One life of a node that dies with its first commit: that says what became of the replay. */
class Replay {
  readonly #history: ReadHistory;
  readonly #options: ReplayOptions;
  readonly #clock: VirtualClock;
  readonly #host: Host;
  #committed: Transition | null = null;
  /** What the code asked for last. */
  #asked = "";
  /** The body that it wanted to run. */
  #body = "";

  constructor(history: ReadHistory, options: ReplayOptions) {
    this.#history = history;
    this.#options = options;
    this.#clock = new VirtualClock(history.journal.at(-1)?.at ?? history.startedAt);
    const { id, namespace } = history;
    this.#host = new Host({
      store: frozenStore(history),
      workflows: options.workflows.map((workflow) =>
        watchWorkflow(workflow, {
          perform: (site) => {
            if (this.#host.dead) return LEFT_BEHIND;
            this.#body ||= `${site.kind} "${site.name}"`;
            this.#host.die();
            return LEFT_BEHIND;
          },
          asked: (_, what) => {
            this.#asked = what;
          },
        }),
      ),
      namespace,
      limits: {},
      clock: this.#clock,
      random: new SeededRandom(id),
      log: () => {},
      dies: (_, batch) => this.#stop(batch),
    });
  }

  async run(): Promise<ReplayVerdict> {
    const host = this.#host;
    await host.open();
    const realTime = new RealTime(this.#options.realWaitMs ?? REAL_WAIT_MS);
    const mayWait = this.#options.workflows.some(
      ({ name, options }) => name === this.#history.workflow && options.foreignAwait === "warn",
    );
    const stuckBy = this.#clock.now() + limits.STUCK_AFTER_MS;
    while (!host.dead) {
      if (this.#clock.fireNext()) await drain();
      else if (host.hasTurn) await host.takeTurn();
      else if (await realTime.wait(() => host.hasTurn || host.dead, NO_BODIES, mayWait)) continue;
      else {
        const next = this.#clock.nextAt(false);
        if (next === null || next > stuckBy) break;
        this.#clock.moveTo(next);
      }
    }
    host.die();
    await host.stop();
    return this.#verdict();
  }

  #stop(batch: Batch): boolean {
    for (const item of batch.items) {
      if (item.type === "transition" && item.run === this.#history.id) this.#committed ??= item;
    }
    return true;
  }

  #verdict(): ReplayVerdict {
    const { hold, finish } = this.#committed ?? { hold: null, finish: null };
    if (hold !== null) {
      // The diff that follows the sentence is for a page, not for a line of a report.
      const [sentence = ""] = hold.reason.split("\n");
      return { ok: false, held: hold.kind, divergence: sentence };
    }
    const isOpen = isOpenEnded(this.#history);
    if (finish === null) {
      const asks = this.#body || this.#asked;
      const note = `where the history ends, the code asks for ${asks || "nothing"}`;
      return { ok: true, end: isOpen ? "open" : "beyond", note };
    }
    const { status, output, error } = finish.ending;
    const now = endWords(status, output, error);
    if (isOpen) {
      return { ok: true, end: "other", note: `the code ends (${now}), the recorded run had not` };
    }
    const then = endWords(this.#history.status, this.#history.output, this.#history.error);
    if (now === then) return { ok: true, end: "same", note: `the code ends (${now})` };
    return { ok: true, end: "other", note: `the code ends (${now}), the recorded run (${then})` };
  }
}

const LEFT_BEHIND: Promise<never> = new Promise(() => {});
const NO_BODIES = (): [] => [];

function endWords(
  status: string,
  output: string,
  error: Parameters<typeof describeError>[0] | null,
): string {
  return error === null ? `${status} ${output}` : `${status} ${describeError(error)}`;
}

// Open, or ended by the kernel and not by its code.
function isOpenEnded({ isClosed, status, error, journal }: ReadHistory): boolean {
  if (!isClosed || error?.code === "CLAW-4009") return true;
  const wasTold = journal.some(({ kind }) => kind === ENTRY_KINDS.cancelRequested);
  return status === "cancelled" && !wasTold;
}

// Holds the one run with its journal. It is never asked to write: the node dies before.
function frozenStore(history: ReadHistory): Store {
  const { id, namespace, workflow, version, input, startedAt, parentRun, cause, journal } = history;
  const start = { id, namespace, workflow, version, input, startedAt, parentRun, cause };
  const rest = { inboxSeq: 0, due: 1, waits: 0, phase: "", recoveries: 0 } as const;
  const free = { held: "", heldReason: "" } as const;
  const keyed = history.key === null ? {} : { keyed: keyForReplay(history.key, journal) };
  const seq = journal.at(-1)?.seq ?? 0;
  const row = { ...start, ...rest, ...free, ...keyed, parentCall: "", seq };
  const journalText = journal.map((entry) => encodeEntry(entry, startedAt)).join("");
  const stored: StoredRun = {
    row,
    journal: Journal.of(journal),
    journalText,
    inbox: [],
    waits: [],
  };
  // Apart from this run there is nothing.
  const empty = memoryStore();
  return { ...empty, load: () => [stored], due: () => [id], nextDue: () => null };
}
