import { ClawError, type Ending, type Hold, isClawError, limits } from "@claw/core/protocol";
import { loadReadable } from "./load-readable.ts";
import type { Node } from "./node.ts";

const RETRY_FIRST_MS = 50;
const RETRY_MAX_MS = 5_000;
/** Held runs that are tried again when a process starts. */
const RELEASE_MAX = 100_000;
/** What other code may mend. */
const RELEASED: readonly Hold[] = ["no_code", "diverged", "bug", "stuck", "unreadable"];
/** Held runs that are read at once. */
const RELEASE_PAGE = 200;

/**
 * Opens the store and takes up what is owed: runs that an ended process held, runs that are due, held runs
 * for which there is code now.
 */
export async function takeOver(node: Node): Promise<void> {
  node.sharing?.report();
  const life = { incarnation: 0 };
  const info = await node.store.open((error) => loseLater(node, life, error));
  life.incarnation = info.incarnation;
  node.info = info;
  if (info.afterCrash === true) node.carefulUntil = node.clock.now() + limits.CAREFUL_MS;
  node.committer.incarnation = info.incarnation;
  node.committer.open = true;
  node.openedAt = node.clock.now();
  node.unavailable = null;
  node.sharing?.begin();
  if (info.owes === true) node.spreadEvents();
  node.feeds.reread();
  await releaseHeld(node);
  await node.wakes.takeOver();
  await node.trials.begin();
  await node.tasks.takeOver();
  await answerEnded(node);
}

// Not in the middle of what has asked: it gets the error, and then everything in memory is dropped.
function loseLater(node: Node, life: { readonly incarnation: number }, error: unknown): void {
  node.loop.later(() => {
    if (node.available && life.incarnation === node.committer.incarnation) node.onLost(error);
  });
}

// New code may mend what held a run; without new code it is held again, once per start. A request to cancel that
// was stored just before a process ended is carried out.
async function releaseHeld(node: Node): Promise<void> {
  if (node.registry.workflows.length === 0) return;
  const ids = await node.store.held([...RELEASED, "quarantined"], RELEASE_MAX);
  if (ids.length === 0) return;
  for (let at = 0; at < ids.length; at += RELEASE_PAGE) {
    for (const stored of await loadReadable(node, ids.slice(at, at + RELEASE_PAGE))) {
      const { id, workflow, version, held } = stored.row;
      const cancel = stored.inbox.find(({ kind }) => kind === "cancel");
      if (cancel !== undefined) {
        // It is taken up to be ended: of several nodes one does it.
        if (node.sharing === null) node.endings.endHeld(stored, cancel);
        else node.takeUpSoon([id]);
        continue;
      }
      if (held === "quarantined" || node.registry.find(workflow, version) === undefined) continue;
      const item = { type: "release", run: id } as const;
      node.committer.request({ item, answered: () => node.wakes.expect(1), lost: () => {} });
    }
  }
  node.loop.schedule();
}

// A run may have ended in a commit whose answer was lost: those who wait for it are told now.
async function answerEnded(node: Node): Promise<void> {
  for (const id of node.results.runs) {
    const record = await node.store.find(id);
    if (record === null || record.endedAt === null) continue;
    const { status, endedAt, output, error, abandoned } = record;
    // What has an end has the status of one.
    node.results.ended(id, { status, endedAt, output, error, abandoned } as Ending);
  }
}

/**
 * The store threw: the outcome of a batch is not known. Everything in memory is dropped, the store is
 * opened again as a new incarnation, and work goes on from what it holds. Tries until it succeeds or the node stops.
 * A fenced node (CLAW-4007) stays down: another process owns the store. One of several on a shared store waits until its
 * old bodies have ended, for a while, and comes back as a new incarnation.
 */
export function recoverFromLoss(node: Node, isStopped: () => boolean): (error: unknown) => void {
  let delayMs = RETRY_FIRST_MS;
  let isComingBack = false;
  const attempt = async (): Promise<void> => {
    if (isStopped()) return;
    await node.bodies.ended(node.clock, limits.FENCED_LINGER_MS);
    isComingBack = false;
    if (isStopped()) return;
    try {
      await takeOver(node);
      delayMs = RETRY_FIRST_MS;
      node.log("info", "store reopened", { incarnation: node.committer.incarnation });
    } catch (error) {
      lose(error);
    }
  };
  const lose = (error: unknown): void => {
    // Said twice: a second opening would end the life that the first has begun, with what it holds by then.
    if (isComingBack) return;
    const first = node.unavailable === null;
    node.committer.open = false;
    node.unavailable = asUnavailable(node, error);
    if (first) {
      node.recoveryCount++;
      node.discardAll(node.unavailable);
    }
    node.log("error", "store lost", { error: String(error), retryInMs: delayMs });
    const isOver = isClawError(error, "CLAW-4007") || isClawError(error, "CLAW-4001");
    if (isOver && node.sharing === null) {
      node.results.drop(error);
      node.feeds.drop(error);
      return;
    }
    isComingBack = true;
    node.clock.after(delayMs, () => void attempt());
    delayMs = Math.min(delayMs * 2, RETRY_MAX_MS);
  };
  return lose;
}

function asUnavailable(node: Node, error: unknown): ClawError {
  if (node.sharing !== null && isClawError(error, "CLAW-4007")) return new ClawError("CLAW-3061");
  if (isClawError(error)) return error;
  return new ClawError("CLAW-4006", `The store failed: ${String(error)}`, { cause: error });
}
