import type { ApprovalQuery, DecisionItem, ItemAnswer, Transition } from "@claw/core/ports";
import type { InboxRow, OpenApproval } from "@claw/core/protocol";
import { pushMessage } from "./deliver-message.ts";
import type { MemoryDisk } from "./memory-disk.ts";

/** Writes the approvals that a transition opens, then removes those that it gives up. */
export function changeApprovals(disk: MemoryDisk, { run, rare }: Transition): void {
  for (const opened of rare?.approvals ?? []) {
    if (!disk.approvals.of(run).some(({ call }) => call === opened.call)) {
      disk.approvals.add(run, structuredClone({ ...opened, run }));
    }
  }
  for (const given of rare?.unapprovals ?? []) {
    disk.approvals.keep(run, ({ call }) => call !== given);
  }
}

/** Turns an open approval into a message to its run. */
export function decideApproval(
  disk: MemoryDisk,
  { run, call, data }: DecisionItem,
  work: {
    readonly nowMs: number;
    readonly namespace: string | undefined;
    readonly delivered: InboxRow[];
  },
): ItemAnswer {
  const refused = (why: "closed" | "unknown" | "state", detail: string): ItemAnswer => ({
    status: "refused",
    why,
    detail,
  });
  const isOurs = (row: { readonly namespace: string } | undefined): boolean =>
    row !== undefined && (work.namespace === undefined || row.namespace === work.namespace);
  if (!isOurs(disk.runs.get(run))) {
    return refused(isOurs(disk.closed.get(run)) ? "closed" : "unknown", run);
  }
  const open = disk.approvals.of(run).find((one) => one.call === call);
  if (open === undefined) {
    const decided = disk.inbox
      .of(run)
      .some(({ kind, name }) => kind === "approval" && name === call);
    return refused("state", decided ? "decided" : "none");
  }
  if (open.expiresAt !== null && open.expiresAt <= work.nowMs) return refused("state", "expired");
  disk.approvals.keep(run, (one) => one.call !== call);
  pushMessage(disk, { to: run, kind: "approval", name: call, from: "", data }, work.delivered);
  return { status: "applied", parked: false };
}

/** Open approvals, oldest first, each a copy of its own. */
export function listApprovals(disk: MemoryDisk, query: ApprovalQuery): readonly OpenApproval[] {
  const { namespace, run, assignee, limit } = query;
  const mayDecide = ({ assignees }: OpenApproval): boolean =>
    assignee === undefined || assignees.length === 0 || assignees.includes(assignee);
  return disk.approvals
    .entries()
    .filter(([id]) => run === undefined || id === run)
    .filter(([id]) => namespace === undefined || disk.runs.get(id)?.namespace === namespace)
    .flatMap(([, rows]) => rows)
    .filter(mayDecide)
    .sort((a, b) => a.createdAt - b.createdAt || compare(a.run, b.run) || compare(a.call, b.call))
    .slice(0, limit)
    .map((row) => structuredClone(row));
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
