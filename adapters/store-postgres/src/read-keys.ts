import type { KeyLine, KeyName, KeyRecord, RunId, StoredKey } from "@claw/core/protocol";
import type { Reads } from "./reads.ts";

const KEY = "namespace = $1 AND workflow = $2 AND key = $3";

/** The keys of stored runs; runs without one are left out. */
export async function keysOfRuns(
  reads: Reads,
  runs: readonly RunId[],
): Promise<Map<RunId, StoredKey>> {
  const rows = await reads.all<StoredKey & { run: RunId }>(
    `SELECT m.run, key, waiting_max AS "waitingMax", on_held_head AS "onHeldHead", seq, place, passes,
       coalesce(s.state, '') AS state
     FROM claw.keyed_runs m LEFT JOIN claw.key_states s USING (namespace, workflow, key)
     WHERE m.run = ANY ($1)`,
    [runs],
  );
  return new Map(rows.map(({ run, ...key }) => [run, key]));
}

/** A key with its state and the first runs that wait for it; null when it has neither. */
export async function findKey(
  reads: Reads,
  { namespace, workflow, key }: KeyName,
  limit: number,
): Promise<KeyRecord | null> {
  const name = [namespace, workflow, key];
  const [found] = await reads.all<Pick<KeyRecord, "head" | "waiting">>(
    `SELECT head, waiting FROM claw.keys WHERE ${KEY}`,
    name,
  );
  const [held] = await reads.all<{ state: string }>(
    `SELECT state FROM claw.key_states WHERE ${KEY}`,
    name,
  );
  if (found === undefined && held === undefined) return null;
  const next = await reads.all<{ run: RunId }>(
    `SELECT run FROM claw.keyed_runs WHERE ${KEY} AND place = 'waiting' ORDER BY seq LIMIT $4`,
    [...name, limit],
  );
  return {
    namespace,
    workflow,
    key,
    state: held?.state ?? "",
    head: found?.head ?? "",
    waiting: found?.waiting ?? 0,
    next: next.map(({ run }) => run),
  };
}

/** Where a run stands; undefined for a run without a key. */
export async function lineOf(reads: Reads, run: RunId): Promise<KeyLine | undefined> {
  const [found] = await reads.all<KeyLine>(
    `SELECT m.key, m.seq, m.place, CASE WHEN m.place = 'waiting' THEN coalesce(
       (SELECT b.run FROM claw.keyed_runs b WHERE b.namespace = m.namespace AND b.workflow = m.workflow
        AND b.key = m.key AND b.place = 'waiting' AND b.seq < m.seq ORDER BY b.seq DESC LIMIT 1),
       (SELECT k.head FROM claw.keys k WHERE k.namespace = m.namespace AND k.workflow = m.workflow
        AND k.key = m.key), '') ELSE '' END AS behind
     FROM claw.keyed_runs m WHERE m.run = $1`,
    [run],
  );
  return found;
}
