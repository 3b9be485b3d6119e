import type { RunId } from "@claw/core/protocol";
import { recordsOf, type TailRecord } from "./journals.ts";
import type { Reads } from "./reads.ts";

/** What the tail holds of each run, in order. It is bounded; see `Journals`. */
export async function tailsByRun(
  reads: Reads,
): Promise<ReadonlyMap<string, readonly TailRecord[]>> {
  const rows = await reads.all<{ body: string }>(
    "SELECT body FROM claw.tail ORDER BY incarnation, n",
  );
  return byRun(rows);
}

/** The entries of runs that others hold, as far as they are in no rows of theirs. */
export async function foreignTails(
  reads: Reads,
  runs: readonly { readonly id: RunId; readonly owner: number | null; readonly seq: number }[],
): Promise<ReadonlyMap<RunId, string>> {
  const rows = await reads.all<{ body: string }>(
    `SELECT body FROM claw.tail t WHERE incarnation = ANY ($1)
       AND EXISTS (SELECT 1 FROM unnest($2::text[]) run WHERE strpos(t.body, run) > 0)
     ORDER BY incarnation, n`,
    [[...new Set(runs.map(({ owner }) => owner))], runs.map(({ id }) => id)],
  );
  const tails = byRun(rows);
  return new Map(
    runs.map(({ id, seq }) => {
      const records = (tails.get(id) ?? []).filter(({ first }) => first > seq);
      return [id, records.map(({ entries }) => entries).join("")];
    }),
  );
}

function byRun(rows: readonly { readonly body: string }[]): Map<string, TailRecord[]> {
  const tails = new Map<string, TailRecord[]>();
  for (const { body } of rows) {
    for (const record of recordsOf(body)) {
      const records = tails.get(record.run);
      if (records === undefined) tails.set(record.run, [record]);
      else records.push(record);
    }
  }
  return tails;
}
