import { type Ending, type RunId, type RunRecord, ClawError } from "@claw/core/protocol";
import type { Node } from "../node.ts";
import { updateEnd } from "../visit-run.ts";

const GOING: ReadonlySet<string> = new Set(["running", "waiting", "compensating", "queued"]);

/** Runs of which somebody waits for something here were written to, perhaps by others: tells what is known. */
export async function tellNews(node: Node, runs: readonly RunId[]): Promise<void> {
  const { incarnation } = node.committer;
  for (const run of runs) {
    node.feeds.rereadOf(run);
    if (!node.results.has(run) && !node.updates.has(run)) continue;
    const record = await node.store.find(run);
    if (!node.available || incarnation !== node.committer.incarnation) return;
    // What is in memory tells by itself.
    if (node.active.has(run)) continue;
    if (record === null) {
      const error = new ClawError("CLAW-3001", `There is no run ${run}`);
      node.results.unknown(run, error);
      node.updates.fail(run, error);
    } else {
      tell(node, record);
    }
  }
}

function tell(node: Node, record: RunRecord): void {
  const { id, status, endedAt, output, error, abandoned } = record;
  for (const call of node.updates.callsOf(id)) {
    const outcome = updateEnd(record, call);
    if (outcome !== null) node.updates.ended(id, [{ call, outcome }]);
  }
  // What has an end has the status of one.
  if (endedAt !== null) {
    node.results.ended(id, { status, endedAt, output, error, abandoned } as Ending);
  } else if (!GOING.has(status)) {
    node.updates.fail(id, new ClawError("CLAW-2015", `Run ${id} is held back`));
    // A request to cancel may have come while it was being held.
    if (status !== "paused") node.takeUpSoon([id]);
  }
}
