import type { DatabaseSync } from "node:sqlite";
import type { Dedup, ItemAnswer } from "@claw/core/ports";
import type { RunId } from "@claw/core/protocol";

/** Remembers clients' requests by their idempotency keys. */
export interface Requests {
  /** Remembers a request; the answer of a duplicate when an unexpired one stands in its scope. */
  remember(dedup: Dedup, run: RunId | "", nowMs: number): ItemAnswer | null;
  /** Takes back what `remember` wrote, when the request was refused. */
  forget(dedup: Dedup): void;
  find(scope: string): { run: RunId | ""; print: string } | null;
  /** Removes at most `limit` rows that expired before `nowMs`; answers how many. */
  expire(nowMs: number, limit: number): number;
}

/** The dedup verbs on an open database. */
export function openRequests(db: DatabaseSync): Requests {
  const insert = db.prepare(`
    INSERT INTO dedup VALUES (?, ?, ?, ?)
    ON CONFLICT (scope) DO UPDATE SET
      run = excluded.run, print = excluded.print, expires_at = excluded.expires_at
    WHERE expires_at <= ?`);
  const select = db.prepare("SELECT run, print FROM dedup WHERE scope = ?");
  const remove = db.prepare("DELETE FROM dedup WHERE scope = ?");
  const expired = db.prepare(`
    DELETE FROM dedup WHERE scope IN
      (SELECT scope FROM dedup WHERE expires_at < ? ORDER BY expires_at LIMIT ?)`);

  function find(scope: string): { run: RunId | ""; print: string } | null {
    const row = select.get(scope) as { run: string; print: string } | undefined;
    return row === undefined ? null : { run: row.run, print: row.print };
  }

  return {
    remember: (dedup, run, nowMs) => {
      const { scope, print, expiresAt } = dedup;
      if (insert.run(scope, run, print, expiresAt, nowMs).changes === 1) return null;
      const first = find(scope);
      return { status: "duplicate", run: first?.run ?? "", same: first?.print === print };
    },
    forget: (dedup) => {
      remove.run(dedup.scope);
    },
    find,
    expire: (nowMs, limit) => Number(expired.run(nowMs, limit).changes),
  };
}
