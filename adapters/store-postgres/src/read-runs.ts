import type { StoredRun } from "@claw/core/ports";
import {
  ClawError,
  type Entry,
  type Hold,
  type InboxRow,
  Journal,
  limits,
  type RunId,
  type RunRow,
} from "@claw/core/protocol";
import { keysOfRuns } from "./read-keys.ts";
import type { Reads } from "./reads.ts";
import { streamHeads } from "./streams.ts";

/** Text of the entries of a run that are not in its rows. */
export type TailOf = (run: RunId, settled: number) => string;

const RUN_ROW = `id, namespace, workflow, version, input, started_at AS "startedAt",
  parent_run AS "parentRun", parent_call AS "parentCall", cause, seq, inbox_seq AS "inboxSeq", due,
  waits, phase, recoveries, held, held_reason AS "heldReason"`;

/** The reading verbs of `Store` that a node needs to go on with its runs. */
export class RunReader {
  readonly #reads: Reads;
  readonly #tailOf: TailOf;

  constructor(reads: Reads, tailOf: TailOf) {
    this.#reads = reads;
    this.#tailOf = tailOf;
  }

  async load(ids: readonly RunId[]): Promise<StoredRun[]> {
    if (ids.length === 0) return [];
    const rows = await this.#reads.all<RunRow>(
      `SELECT ${RUN_ROW} FROM claw.runs WHERE id = ANY ($1)`,
      [ids],
    );
    const known = new Map(rows.map((row) => [row.id, row]));
    const open = [...known.keys()];
    const journals = await this.journals(open);
    const inbox = await this.#reads.all<InboxRow>(
      `SELECT run AS to, kind, name, sender AS "from", data, seq FROM claw.inbox
       WHERE run = ANY ($1) ORDER BY run, seq`,
      [open],
    );
    const waits = await this.#reads.all<{ run: RunId; call: string }>(
      `SELECT run, call FROM claw.waits WHERE run = ANY ($1)
       UNION ALL SELECT run, call FROM claw.approvals WHERE run = ANY ($1) ORDER BY 2`,
      [open],
    );
    const traces = await tracesOf(this.#reads, open);
    const keys = await keysOfRuns(this.#reads, open);
    const heads = await streamHeads(this.#reads, open);
    return ids.flatMap((id) => {
      const row = known.get(id);
      if (row === undefined) return [];
      const streams = heads.get(id);
      const journalText = (journals.get(id) ?? "") + this.#tailOf(id, row.seq);
      const keyed = keys.get(id);
      const trace = traces.get(id);
      return {
        row: {
          ...row,
          ...(keyed === undefined ? {} : { keyed }),
          ...(trace === undefined ? {} : { trace }),
        },
        journal: readJournal(id, journalText, row.startedAt),
        journalText,
        inbox: inbox.filter(({ to }) => to === id),
        waits: waits.filter(({ run }) => run === id).map(({ call }) => call),
        ...(streams === undefined ? {} : { streams }),
      };
    });
  }

  /** Texts of journals in rows of their own, by run. */
  async journals(runs: readonly RunId[]): Promise<Map<RunId, string>> {
    const texts = new Map<RunId, string>();
    const rows = await this.#reads.all<{ run: RunId; entries: string }>(
      "SELECT run, entries FROM claw.journal WHERE run = ANY ($1) ORDER BY run, seq",
      [runs],
    );
    for (const { run, entries } of rows) texts.set(run, (texts.get(run) ?? "") + entries);
    return texts;
  }

  due(nowMs: number, limit: number, namespace: string | null): Promise<RunId[]> {
    return this.#ids(
      `SELECT id FROM claw.runs
       WHERE due > 0 AND due <= $1 AND held = '' AND recoveries < ${limits.SUSPECT_RECOVERIES}
         AND namespace = coalesce($2, namespace)
       ORDER BY due, id LIMIT $3`,
      [nowMs, namespace, limit],
    );
  }

  // "> 1" is the condition of the index.
  suspects(limit: number, namespace: string | null): Promise<RunId[]> {
    return this.#ids(
      `SELECT id FROM claw.runs
       WHERE recoveries > 1 AND recoveries >= ${limits.SUSPECT_RECOVERIES} AND held = ''
         AND namespace = coalesce($1, namespace)
       ORDER BY recoveries, id LIMIT $2`,
      [namespace, limit],
    );
  }

  async nextDue(afterMs: number, namespace: string | null): Promise<number | null> {
    const [row] = await this.#reads.all<{ due: number }>(
      `SELECT due FROM claw.runs
       WHERE due > $1 AND due > 0 AND held = '' AND namespace = coalesce($2, namespace)
       ORDER BY due LIMIT 1`,
      [afterMs, namespace],
    );
    return row?.due ?? null;
  }

  held(kinds: readonly Hold[], limit: number, namespace: string | null): Promise<RunId[]> {
    return this.#ids(
      `SELECT id FROM claw.runs
       WHERE held <> '' AND held = ANY ($1) AND namespace = coalesce($2, namespace)
       ORDER BY id LIMIT $3`,
      [kinds, namespace, limit],
    );
  }

  async #ids(text: string, values: readonly unknown[]): Promise<RunId[]> {
    return (await this.#reads.all<{ id: RunId }>(text, values)).map(({ id }) => id);
  }
}

/** Traces that came with the start of runs; runs without one are left out. */
export async function tracesOf(reads: Reads, runs: readonly RunId[]): Promise<Map<RunId, string>> {
  const rows = await reads.all<{ run: RunId; trace: string }>(
    "SELECT run, trace FROM claw.traces WHERE run = ANY ($1)",
    [runs],
  );
  return new Map(rows.map(({ run, trace }) => [run, trace]));
}

/** Entries of a whole journal. Errors: CLAW-4002 its text is damaged. */
export function decodeJournal(run: RunId, text: string, startedAt: number): Entry[] {
  return [...readJournal(run, text, startedAt)];
}

function readJournal(run: RunId, text: string, startedAt: number): Journal {
  try {
    return Journal.read(text, 1, startedAt);
  } catch (error) {
    throw new ClawError("CLAW-4002", `The journal of ${run} is damaged`, { cause: error });
  }
}
