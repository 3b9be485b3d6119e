import type { DatabaseSync } from "node:sqlite";
import type { KeyLine, KeyName, KeyRecord, RunId, StoredKey } from "@claw/core/protocol";

const KEY = "namespace = ? AND workflow = ? AND key = ?";

/** Reads the key of a stored run; null for a run without one. */
export type KeyReader = (run: RunId) => StoredKey | null;

/** The verb for the owner of a store on an open database. */
export function openKeyReader(db: DatabaseSync): KeyReader {
  const select = db.prepare(`
    SELECT key, waiting_max AS waitingMax, on_held_head AS onHeldHead, seq, place, passes,
      coalesce(s.state, '') AS state
    FROM keyed_runs m LEFT JOIN key_states s USING (namespace, workflow, key) WHERE m.run = ?`);
  return (run) => (select.get(run) as StoredKey | undefined) ?? null;
}

/** What people and clients ask about keys. */
export interface KeyLister {
  readonly find: (name: KeyName, limit: number) => KeyRecord | null;
  /** Where a run stands; undefined for a run without a key. */
  readonly lineOf: (run: RunId) => KeyLine | undefined;
}

/** The verbs for people on an open database. */
export function openKeyLister(db: DatabaseSync): KeyLister {
  const row = db.prepare(`SELECT head, waiting FROM keys WHERE ${KEY}`);
  const stateOf = db.prepare(`SELECT state FROM key_states WHERE ${KEY}`);
  const next = db.prepare(`
    SELECT run FROM keyed_runs WHERE ${KEY} AND place = 'waiting' ORDER BY seq LIMIT ?`);
  const member = db.prepare(
    "SELECT namespace, workflow, key, seq, place FROM keyed_runs WHERE run = ?",
  );
  const before = db.prepare(`
    SELECT run FROM keyed_runs WHERE ${KEY} AND place = 'waiting' AND seq < ?
    ORDER BY seq DESC LIMIT 1`);
  type Row = Pick<KeyRecord, "head" | "waiting">;

  function behind({ namespace, workflow, key, seq }: KeyName & { seq: number }): string {
    const waits = before.get(namespace, workflow, key, seq) as { run: string } | undefined;
    return waits?.run ?? (row.get(namespace, workflow, key) as Row | undefined)?.head ?? "";
  }

  return {
    find: ({ namespace, workflow, key }, limit) => {
      const found = row.get(namespace, workflow, key) as Row | undefined;
      const state = String(stateOf.get(namespace, workflow, key)?.["state"] ?? "");
      if (found === undefined && state === "") return null;
      const runs = next.all(namespace, workflow, key, limit).map(({ run }) => String(run));
      return { namespace, workflow, key, state, head: "", waiting: 0, ...found, next: runs };
    },
    lineOf: (run) => {
      const found = member.get(run) as (KeyName & KeyLine) | undefined;
      if (found === undefined) return undefined;
      const { key, seq, place } = found;
      return { key, seq, place, behind: place === "waiting" ? behind(found) : "" };
    },
  };
}
