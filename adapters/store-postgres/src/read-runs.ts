import type { StoredRun } from "@claw/core/ports";
import {
  ClawError,
  type Entry,
  type Hold,
  type InboxRow,
  Journal,
  type RunId,
  type RunRow,
} from "@claw/core/protocol";
import { keysOfRuns } from "./read-keys.ts";
import type { Reads } from "./reads.ts";
import { foreignTails } from "./read-tail.ts";
import { streamHeads } from "./streams.ts";

/** Text of the entries of a run that are not in its rows. */
export type TailOf = (run: RunId, settled: number) => string;

/** A row of `runs` with who holds it. */
type HeldRow = RunRow & { readonly owner: number | null };

const RUN_ROW = `id, namespace, workflow, version, input, started_at AS "startedAt",
  parent_run AS "parentRun", parent_call AS "parentCall", cause, seq, inbox_seq AS "inboxSeq", due,
  waits, phase, recoveries, held, held_reason AS "heldReason"`;

/** The reading verbs of `Store` that a node needs to go on with its runs. */
export class RunReader {
  readonly #reads: Reads;
  readonly #tailOf: TailOf;
  readonly #own: number | null;

  /** `own`: the incarnation whose entries `tailOf` knows; null when it knows those of all. */
  constructor(reads: Reads, tailOf: TailOf, own: number | null = null) {
    this.#reads = reads;
    this.#tailOf = tailOf;
    this.#own = own;
  }

  /** True for a run whose last entries only another incarnation and its tail have. */
  isForeign(owner: number | null): owner is number {
    return this.#own !== null && owner !== null && owner !== this.#own;
  }

  async load(ids: readonly RunId[]): Promise<StoredRun[]> {
    if (ids.length === 0) return [];
    if (this.#own === null) return this.#whole(ids, await this.#rows(ids), new Map());
    // Others send messages meanwhile, which must not be there without being counted, and a holder moves entries from
    // the tail to rows while it works.
    return this.#reads.oneState(async () => {
      const rows = await this.#rows(ids);
      const foreign = rows.filter(({ owner }) => this.isForeign(owner));
      return this.#whole(ids, rows, await foreignTails(this.#reads, foreign));
    });
  }

  #rows(ids: readonly RunId[]): Promise<HeldRow[]> {
    return this.#reads.all<HeldRow>(`SELECT ${RUN_ROW}, owner FROM claw.runs WHERE id = ANY ($1)`, [
      ids,
    ]);
  }

  async #whole(
    ids: readonly RunId[],
    rows: readonly HeldRow[],
    tails: ReadonlyMap<RunId, string>,
  ): Promise<StoredRun[]> {
    const known = new Map(rows.map((row) => [row.id, plainOf(row)]));
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
      const tail = tails.get(id) ?? this.#tailOf(id, row.seq);
      const journalText = (journals.get(id) ?? "") + tail;
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

function plainOf(row: HeldRow): RunRow {
  const { owner: _, ...plain } = row;
  return plain;
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
