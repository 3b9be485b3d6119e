import { recordsOf, type TailRecord } from "./journals.ts";
import type { Reads } from "./reads.ts";

/** What the tail holds of each run, in order. It is bounded; see `Journals`. */
export async function tailsByRun(
  reads: Reads,
): Promise<ReadonlyMap<string, readonly TailRecord[]>> {
  const tails = new Map<string, TailRecord[]>();
  const rows = await reads.all<{ body: string }>(
    "SELECT body FROM claw.tail ORDER BY incarnation, n",
  );
  for (const { body } of rows) {
    for (const record of recordsOf(body)) {
      const records = tails.get(record.run);
      if (records === undefined) tails.set(record.run, [record]);
      else records.push(record);
    }
  }
  return tails;
}
