import { limits, type RunId } from "@claw/core/protocol";
import { recordsOf, type Settling } from "./journals.ts";
import type { Link } from "./link.ts";
import type { Reads } from "./reads.ts";

/** Of whom it is that an incarnation is ended. */
export interface Ending {
  readonly incarnation: number;
  /** Only if its lease is over. */
  readonly onlyOver: boolean;
  /** 1 when its process ended with it: its runs have one recovery more. 0 when not. */
  readonly more: 0 | 1;
}

/**
 * Ends an incarnation, moves what its tail holds to rows of its runs and gives the runs free, all or nothing. Waits for
 * what it has sent and is being written. False when it has ended already, or its lease is not over.
 */
export async function endLife(link: Link, reads: Reads, ending: Ending): Promise<boolean> {
  const { incarnation, onlyOver, more } = ending;
  return link.transaction(async () => {
    const [row] = await reads.once<{ ended: boolean }>("SELECT claw.end_life($1, $2) AS ended", [
      incarnation,
      onlyOver,
    ]);
    if (row?.ended !== true) return false;
    await settleTail(reads, incarnation);
    await reads.once("SELECT claw.free_runs($1, $2, $3)", [
      incarnation,
      more,
      limits.RECOVERIES_MAX,
    ]);
    return true;
  });
}

/** Incarnations that were not ended, but `own`; with `onlyOver` those without a lease that counts. */
export async function otherLives(reads: Reads, own: number, onlyOver: boolean): Promise<number[]> {
  const rows = await reads.once<{ id: number }>(
    `SELECT i.id FROM claw.incarnations i LEFT JOIN claw.leases l ON l.incarnation = i.id
     WHERE i.state = 'live' AND i.id <> $1
       AND (NOT $2 OR l.until IS NULL OR l.until < clock_timestamp()) ORDER BY i.id`,
    [own, onlyOver],
  );
  return rows.map(({ id }) => id);
}

async function settleTail(reads: Reads, incarnation: number): Promise<void> {
  const rows = await reads.once<{ body: string }>(
    "SELECT body FROM claw.tail WHERE incarnation = $1 ORDER BY n",
    [incarnation],
  );
  if (rows.length === 0) return;
  const records = rows.flatMap(({ body }) => [...recordsOf(body)]);
  // What it had given up is whole in its rows, and may be another's by now: numbers are not used again.
  const runs = await reads.once<{ id: RunId; seq: number }>(
    "SELECT id, seq FROM claw.runs WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE",
    [[...new Set(records.map(({ run }) => run))]],
  );
  const moving = new Map<RunId, Settling>();
  for (const { id, seq } of runs) moving.set(id, { run: id, first: seq + 1, seq, text: "" });
  for (const { run, first, entries } of records) {
    const known = moving.get(run);
    if (known === undefined || first <= known.seq) continue;
    const seq = first + entries.split("\u001e").length - 2;
    moving.set(run, { ...known, seq, text: known.text + entries });
  }
  const all = [...moving.values()].filter(({ text }) => text !== "");
  await reads.once("SELECT claw.settle_tail($1, $2, $3, $4, $5)", [
    incarnation,
    all.map(({ run }) => run),
    all.map(({ first }) => first),
    all.map(({ seq }) => seq),
    all.map(({ text }) => text),
  ]);
}
