import type { DatabaseSync } from "node:sqlite";
import type { ApprovalQuery, DecisionItem, ItemAnswer, Transition } from "@claw/core/ports";
import type { OpenApproval, RunId } from "@claw/core/protocol";
import { APPLIED, type BatchWork } from "./batch-work.ts";
import type { Inbox } from "./deliver-message.ts";

/** Approvals that runs wait for. */
export interface Approvals {
  /** Writes what a transition opens, then removes what it gives up. */
  change(transition: Transition): void;
  /** Removes all approvals of a run. */
  removeAll(run: RunId): void;
  /** Turns an open approval into a message to its run. */
  decide(item: DecisionItem, work: BatchWork): ItemAnswer;
}

/** The verbs that write approvals on an open database. */
export function openApprovals(db: DatabaseSync, inbox: Inbox): Approvals {
  const insert = db.prepare(
    "INSERT INTO approvals VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
  );
  const remove = db.prepare("DELETE FROM approvals WHERE run = ? AND call = ?");
  const removeAll = db.prepare("DELETE FROM approvals WHERE run = ?");
  const find = db.prepare("SELECT expires_at FROM approvals WHERE run = ? AND call = ?");
  const decided = db.prepare(
    "SELECT 1 FROM inbox WHERE run = ? AND kind = 'approval' AND name = ?",
  );
  const isOpen = db.prepare(
    "SELECT 1 FROM runs WHERE id = ? AND namespace = coalesce(?, namespace)",
  );
  const isClosed = db.prepare(
    "SELECT 1 FROM closed WHERE id = ? AND namespace = coalesce(?, namespace)",
  );
  // Stores without approvals need not look for those of each run that ends.
  let used = db.prepare("SELECT 1 FROM approvals LIMIT 1").get() !== undefined;

  function missing({ run, call }: DecisionItem, namespace: string | null): ItemAnswer {
    if (isClosed.get(run, namespace) !== undefined) return refused("closed", run);
    if (isOpen.get(run, namespace) === undefined) return refused("unknown", run);
    return refused("state", decided.get(run, call) === undefined ? "none" : "decided");
  }

  return {
    change: ({ run, namespace, rare }) => {
      for (const one of rare?.approvals ?? []) {
        used = true;
        const { call, title, form, createdAt, expiresAt } = one;
        const assignees = JSON.stringify(one.assignees);
        insert.run(run, call, namespace, title, form, assignees, createdAt, expiresAt);
      }
      for (const call of rare?.unapprovals ?? []) remove.run(run, call);
    },
    removeAll: (run) => {
      if (used) removeAll.run(run);
    },
    decide: (item, work) => {
      const { run, call, data } = item;
      const namespace = work.namespace ?? null;
      const row = find.get(run, call) as { expires_at: number | null } | undefined;
      if (row === undefined || isOpen.get(run, namespace) === undefined) {
        return missing(item, namespace);
      }
      if (row.expires_at !== null && row.expires_at <= work.nowMs)
        return refused("state", "expired");
      remove.run(run, call);
      inbox.push({ to: run, kind: "approval", name: call, from: "", data }, work.delivered);
      return APPLIED;
    },
  };
}

function refused(why: "closed" | "unknown" | "state", detail: string): ItemAnswer {
  return { status: "refused", why, detail };
}

/** Lists open approvals, oldest first. */
export type ApprovalLister = (query: ApprovalQuery) => readonly OpenApproval[];

/** The reading verb on an open database. */
export function openApprovalLister(db: DatabaseSync): ApprovalLister {
  const select = db.prepare(`
    SELECT run, call, title, form, assignees, created_at AS createdAt, expires_at AS expiresAt
    FROM approvals
    WHERE namespace = coalesce(?1, namespace) AND run = coalesce(?2, run) AND (?3 IS NULL
      OR assignees = '[]' OR EXISTS (SELECT 1 FROM json_each(assignees) WHERE value = ?3))
    ORDER BY created_at, run, call LIMIT ?4`);
  type Row = Omit<OpenApproval, "assignees"> & { assignees: string };
  return ({ namespace, run, assignee, limit }) =>
    (select.all(namespace ?? null, run ?? null, assignee ?? null, limit) as Row[]).map((row) => ({
      ...row,
      assignees: JSON.parse(row.assignees) as string[],
    }));
}
