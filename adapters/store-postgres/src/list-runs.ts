import type { ApprovalQuery, RunQuery } from "@claw/core/ports";
import {
  type Attributes,
  describeError,
  type ErrorRecord,
  type Generation,
  type Hold,
  type OpenApproval,
  type RunId,
  type RunRecord,
  type RunStatus,
  type RunSummary,
} from "@claw/core/protocol";
import { lineOf } from "./read-keys.ts";
import type { Reads } from "./reads.ts";
import { foreignTails } from "./read-tail.ts";
import { decodeJournal, type RunReader, type TailOf, tracesOf } from "./read-runs.ts";

// One line of either table: what a run of the other kind has not is null or empty.
type Line = {
  id: string;
  namespace: string;
  workflow: string;
  version: number;
  started_at: number;
  parent_run: string;
  cause: string;
  status: string;
  ended_at: number | null;
  error: string | null;
  held_reason: string;
};

type Details = Line & {
  parent_call: string;
  due: number | null;
  input: string;
  output: string;
  abandoned: string | null;
  journal: string | null;
  /** Null for a closed run. */
  settled: number | null;
  owner: number | null;
};

// 0: a process holds it; 1: due at once.
const OPEN_STATUS = `CASE WHEN held <> '' THEN held WHEN phase <> '' THEN phase
    WHEN due <= 1 THEN 'running' ELSE 'waiting' END`;
const SHARED = "id, namespace, workflow, version, started_at, parent_run, cause";
const OPEN_LINE = `${SHARED}, ${OPEN_STATUS} AS status, NULL::bigint AS ended_at, NULL AS error, held_reason`;
const CLOSED_LINE = `${SHARED}, status, ended_at, error, '' AS held_reason`;
const CLOSED = ["completed", "failed", "cancelled", "compensated", "terminated"];

/** What people and consoles ask about runs. */
export class RunLister {
  readonly #reads: Reads;
  readonly #reader: RunReader;
  readonly #tailOf: TailOf;

  constructor(reads: Reads, reader: RunReader, tailOf: TailOf) {
    this.#reads = reads;
    this.#reader = reader;
    this.#tailOf = tailOf;
  }

  async list(query: RunQuery): Promise<RunSummary[]> {
    const { status } = query;
    const lines: Line[] = [];
    if (status === undefined || !CLOSED.includes(status)) {
      lines.push(...(await this.#select("runs", query, openFilter(status))));
    }
    if (status === undefined || CLOSED.includes(status)) {
      const filter = status === undefined ? "TRUE" : `status = '${status}'`;
      lines.push(...(await this.#select("closed", query, filter)));
    }
    lines.sort((a, b) => (a.id < b.id ? 1 : -1));
    const page = lines.slice(0, query.limit);
    const attributes = await this.attributes(page.map(({ id }) => id));
    return page.map((line) => summaryOf(line, attributes.get(line.id) ?? {}));
  }

  async find(id: RunId): Promise<RunRecord | null> {
    const row = await this.#details(id);
    if (row === null) return null;
    if (!this.#reader.isForeign(row.owner)) return this.#record(row);
    // Its holder moves entries from the tail to rows while it works.
    return this.#reads.oneState(async () => {
      const again = await this.#details(id);
      return again === null ? null : this.#record(again);
    });
  }

  async #details(id: RunId): Promise<Details | null> {
    const [row] = await this.#reads.all<Details>(
      `SELECT ${OPEN_LINE}, parent_call, due, input, '' AS output, NULL AS abandoned, NULL AS journal,
         seq AS settled, owner
       FROM claw.runs WHERE id = $1
       UNION ALL
       SELECT ${CLOSED_LINE}, parent_call, NULL::bigint, input, output, abandoned, journal, NULL::int,
         NULL::bigint
       FROM claw.closed WHERE id = $1`,
      [id],
    );
    return row ?? null;
  }

  async #record(row: Details): Promise<RunRecord> {
    const { id } = row;
    const attributes = await this.attributes([id]);
    const generations = await this.generations(id, row.started_at);
    return {
      ...summaryOf(row, attributes.get(id) ?? {}),
      input: row.input,
      output: row.output,
      error: row.error === null ? null : (JSON.parse(row.error) as ErrorRecord),
      abandoned: row.abandoned === null ? [] : (JSON.parse(row.abandoned) as string[]),
      due: row.due,
      journal: decodeJournal(id, await this.#journalOf(row), row.started_at),
      ...(generations.length === 0 ? {} : { generations }),
      parentCall: row.parent_call,
      ...(await this.#rare(id)),
    };
  }

  /** Open approvals, oldest first. */
  approvals({ namespace, run, assignee, limit }: ApprovalQuery): Promise<OpenApproval[]> {
    return this.#reads.all<OpenApproval>(
      `SELECT run, call, title, form, assignees, created_at AS "createdAt", expires_at AS "expiresAt"
       FROM claw.approvals
       WHERE namespace = coalesce($1, namespace) AND run = coalesce($2, run)
         AND ($3::text IS NULL OR assignees = '[]' OR assignees ? $3)
       ORDER BY created_at, run, call LIMIT $4`,
      [namespace ?? null, run ?? null, assignee ?? null, limit],
    );
  }

  async #journalOf({ id, journal, settled, owner }: Details): Promise<string> {
    if (journal !== null) return journal;
    const text = (await this.#reader.journals([id])).get(id) ?? "";
    if (settled === null) return text;
    if (!this.#reader.isForeign(owner)) return text + this.#tailOf(id, settled);
    const tails = await foreignTails(this.#reads, [{ id, owner, seq: settled }]);
    return text + (tails.get(id) ?? "");
  }

  #select(table: "runs" | "closed", query: RunQuery, filter: string): Promise<Line[]> {
    const where = [filter];
    const values: unknown[] = [];
    const restrict = (condition: (mark: string) => string, value: unknown): void => {
      if (value === undefined) return;
      values.push(value);
      where.push(condition(`$${values.length}`));
    };
    restrict((mark) => `namespace = ${mark}`, query.namespace);
    restrict((mark) => `workflow = ${mark}`, query.workflow);
    restrict((mark) => `started_at >= ${mark}`, query.since);
    restrict((mark) => `id < ${mark}`, query.before);
    for (const [name, value] of Object.entries(query.attributes ?? {})) {
      values.push(name, String(value));
      where.push(
        `id IN (SELECT run FROM claw.attributes WHERE name = $${values.length - 1} AND words = $${values.length})`,
      );
    }
    values.push(query.limit);
    const line = table === "runs" ? OPEN_LINE : CLOSED_LINE;
    return this.#reads.once<Line>(
      `SELECT ${line} FROM claw.${table} WHERE ${where.join(" AND ")}
       ORDER BY id DESC LIMIT $${values.length}`,
      values,
    );
  }

  /** Attributes of runs; those without any are left out. */
  async attributes(runs: readonly RunId[]): Promise<Map<RunId, Attributes>> {
    const rows = await this.#reads.all<{ run: RunId; name: string; value: string }>(
      "SELECT run, name, value FROM claw.attributes WHERE run = ANY ($1) ORDER BY run, name",
      [runs],
    );
    const found = new Map<RunId, [string, never][]>();
    for (const { run, name, value } of rows) {
      const pairs = found.get(run) ?? [];
      pairs.push([name, JSON.parse(value) as never]);
      found.set(run, pairs);
    }
    return new Map([...found].map(([run, pairs]) => [run, Object.fromEntries(pairs)]));
  }

  // What few runs have.
  async #rare(id: RunId): Promise<Pick<RunRecord, "queue" | "trace">> {
    const queue = await lineOf(this.#reads, id);
    const trace = (await tracesOf(this.#reads, [id])).get(id);
    return { ...(queue === undefined ? {} : { queue }), ...(trace === undefined ? {} : { trace }) };
  }

  /** Ended generations of a run, oldest first. */
  async generations(run: RunId, startedAt: number): Promise<Generation[]> {
    const rows = await this.#reads.all<Omit<Generation, "journal"> & { journal: string }>(
      `SELECT generation, ended_at AS "endedAt", input, journal FROM claw.generations
       WHERE run = $1 ORDER BY generation`,
      [run],
    );
    return rows.map((row) => ({ ...row, journal: decodeJournal(run, row.journal, startedAt) }));
  }
}

function openFilter(status: RunStatus | undefined): string {
  if (status === undefined) return "TRUE";
  const free = "held = '' AND phase = ''";
  if (status === "running") return `${free} AND due <= 1`;
  if (status === "waiting") return `${free} AND (due IS NULL OR due > 1)`;
  if (status === "compensating") return "held = '' AND phase = 'compensating'";
  // Words of a closed list, checked where they came in; "held <> ''" lets the partial index be used.
  return /^[a-z_]+$/.test(status) ? `held = '${status}' AND held <> ''` : "FALSE";
}

function summaryOf(line: Line, attributes: Attributes): RunSummary {
  return {
    id: line.id,
    namespace: line.namespace,
    workflow: line.workflow,
    version: line.version,
    status: line.status as RunStatus | Hold,
    startedAt: line.started_at,
    endedAt: line.ended_at,
    parentRun: line.parent_run,
    cause: line.cause,
    reason:
      line.error === null ? line.held_reason : describeError(JSON.parse(line.error) as ErrorRecord),
    attributes,
  };
}
