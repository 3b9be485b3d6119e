import { openCall, skipCall } from "@claw/core/engine";
import type { ItemAnswer, StoredRun } from "@claw/core/ports";
import {
  checkName,
  ClawError,
  encodePayload,
  type Hold,
  limits,
  recordError,
  type RunId,
} from "@claw/core/protocol";
import type { Activation } from "./activation.ts";
import type { LiveCall } from "./bodies.ts";
import { isDeciding } from "./approvals.ts";
import { loadToWrite } from "./load-readable.ts";
import type { Node } from "./node.ts";
import { checkSync } from "./registry.ts";
import { undoUnderWay } from "./owed-undo.ts";
import { withRemains } from "./remains.ts";
import { whereHeld } from "./sharing/where-held.ts";
import { HeldElsewhere, mustNotBeElsewhere } from "./sharing/held-elsewhere.ts";

const NOTE_CHARS_MAX = 1_000;
/** A run may leave the memory between two looks, and come back. */
const LOOKS_MAX = 10;
const RELEASABLE: readonly (Hold | "")[] = [
  "",
  "diverged",
  "bug",
  "stuck",
  "no_code",
  "quarantined",
  "unreadable",
];

/** Tries a held run again. Errors: CLAW-3001, CLAW-3002, CLAW-2015. */
export function releaseRun(node: Node, run: RunId): Promise<void> {
  return whereHeld(node, run, { op: "release" }, () => releaseHere(node, run));
}

/** The same where the run is held. */
export async function releaseHere(node: Node, run: RunId): Promise<void> {
  node.mustBeAvailable();
  const answer = await node.request({ type: "release", run, from: RELEASABLE });
  if (answer.status === "refused") throw refusal(answer, run, "release");
  await node.takeUp([run]);
}

/** Pauses an open run. Errors: CLAW-3001, CLAW-3002, CLAW-2015. */
export function pauseRun(node: Node, run: RunId, note: string): Promise<void> {
  return whereHeld(node, run, { op: "pause", note }, () => pauseHere(node, run, note));
}

/** The same where the run is held. */
export async function pauseHere(node: Node, run: RunId, note: string): Promise<void> {
  node.mustBeAvailable();
  const reason = note.slice(0, NOTE_CHARS_MAX).toWellFormed().replaceAll("\0", "");
  const paused = (answer: ItemAnswer): void => {
    // Before anything else happens in this run.
    if (answer.status === "applied") node.haltPaused(run);
  };
  const answer = await node.request({ type: "pause", run, reason }, paused);
  if (answer.status === "refused") throw refusal(answer, run, "pause");
}

/** Lets a paused run go on. Errors: CLAW-3001, CLAW-3002, CLAW-2015. */
export function resumeRun(node: Node, run: RunId): Promise<void> {
  return whereHeld(node, run, { op: "resume" }, () => resumeHere(node, run));
}

/** The same where the run is held. */
export async function resumeHere(node: Node, run: RunId): Promise<void> {
  node.mustBeAvailable();
  const answer = await node.request({ type: "release", run, from: ["paused"] });
  if (answer.status === "refused") throw refusal(answer, run, "resume");
  const ending = node.active.get(run);
  // Bodies from before the pause are still under way: it goes on when they have ended.
  if (ending?.halting === true) {
    void ending.halt(limits.PAUSE_LINGER_MS).then(() => {
      if (node.available) node.takeUpSoon([run]);
    });
  } else {
    await node.takeUp([run]);
  }
}

/** Ends an open run without running its code. Errors: CLAW-3001, CLAW-3002. */
export function terminateRun(node: Node, run: RunId, reason: string): Promise<void> {
  return whereHeld(node, run, { op: "terminate", reason }, () => terminateHere(node, run, reason));
}

/** The same where the run is held. */
export async function terminateHere(node: Node, run: RunId, reason: string): Promise<void> {
  node.mustBeAvailable();
  if (!node.endings.claimEnd(run)) throw new ClawError("CLAW-3002", `Run ${run} is being ended`);
  let isSent = false;
  try {
    const activation = node.active.get(run);
    const underWay = activation === undefined ? [] : undoUnderWay(activation);
    await activation?.halt(0);
    const [stored] = await loadToWrite(node, [run]);
    if (stored === undefined) await mustNotBeElsewhere(node, run);
    if (stored === undefined) throw await absence(node, run);
    isSent = true;
    const answer = await endTerminated(node, stored, reason, underWay);
    if (answer.status === "refused") throw refusal(answer, run, "terminate");
  } finally {
    if (!isSent) node.endings.letGo(run);
  }
}

function endTerminated(
  node: Node,
  stored: StoredRun,
  reason: string,
  underWay: readonly string[],
): Promise<ItemAnswer> {
  const why = reason.slice(0, NOTE_CHARS_MAX).toWellFormed().replaceAll("\0", "");
  const detail = `The run was terminated${why === "" ? "" : `: ${why}`}`;
  const { stack: _stack, ...record } = recordError(new ClawError("CLAW-2014", detail));
  const error = withRemains(record, stored.journal, underWay);
  return new Promise((resolve, reject) => {
    node.endings.endStored(stored, { status: "terminated", error }, resolve, reject);
  });
}

/** Answers an open call. Errors: CLAW-3001, CLAW-3002, CLAW-2015, CLAW-2016, CLAW-1004 to 1006, CLAW-1008. */
export async function skipInRun(
  node: Node,
  run: RunId,
  call: string,
  value: unknown,
  by: string,
): Promise<void> {
  node.mustBeAvailable();
  checkName(by, "The operator");
  const asked = {
    op: "skip",
    call,
    value: encodePayload(value, node.limits.payloadBytesMax),
    by,
  } as const;
  return whereHeld(node, run, asked, () => skipHere(node, run, call, value, by));
}

/** The same where the run is held. */
export async function skipHere(
  node: Node,
  run: RunId,
  call: string,
  value: unknown,
  by: string,
): Promise<void> {
  for (let look = 0; look < LOOKS_MAX; look++) {
    const activation = await inMemory(node, run);
    if (activation === null) continue;
    let isOrdered = true;
    try {
      await activation.order((nowMs) => {
        isOrdered = false;
        skipOpen(activation, call, value, by, nowMs);
      });
      return;
    } catch (error) {
      // It parked or was held before it could be asked: it is looked for again.
      if (!isOrdered || !node.available) throw error;
    }
  }
  throw new ClawError("CLAW-3005", `Run ${run} does not come to rest`);
}

function skipOpen(
  activation: Activation,
  name: string,
  value: unknown,
  by: string,
  nowMs: number,
): void {
  const { id, state } = activation;
  // A decision under way has come first.
  const call = isDeciding(activation.node, id, name) ? null : openCall(state, name);
  if (call === null) {
    const open = [...state.open].filter((one) => !one.answered).map((one) => one.id);
    throw new ClawError("CLAW-2016", `${id} has no open call ${JSON.stringify(name)}`, {
      details: { open },
    });
  }
  const { output } = call as LiveCall;
  const checked = output === null ? value : checkSync(output, value, `The value for "${name}"`);
  skipCall(state, call, checked === undefined ? { by } : { by, value: checked }, nowMs);
}

// Null when it was taken up but is gone already.
async function inMemory(node: Node, run: RunId): Promise<Activation | null> {
  const known = node.active.get(run);
  if (known?.halting === false) return known;
  await known?.halt(limits.PAUSE_LINGER_MS);
  const record = await node.store.find(run);
  if (record === null || record.endedAt !== null) throw await absence(node, run);
  if (
    record.status !== "running" &&
    record.status !== "waiting" &&
    record.status !== "compensating"
  ) {
    throw wrongState("skip", run, record.status);
  }
  await node.takeUp([run]);
  const activation = node.active.get(run);
  if (activation !== undefined) return activation;
  await mustNotBeElsewhere(node, run);
  if (node.registry.workflows.length === 0) {
    throw new ClawError("CLAW-3005", "No process here runs workflows");
  }
  return null;
}

async function absence(node: Node, run: RunId): Promise<ClawError> {
  const record = await node.store.find(run);
  if (record === null) return new ClawError("CLAW-3001", `There is no run ${run}`);
  return new ClawError("CLAW-3002", `Run ${run} has ended`);
}

/** An operation was asked for in a state that does not allow it. */
export function wrongState(operation: string, run: RunId, status: string): ClawError {
  return new ClawError("CLAW-2015", `${operation}: ${run} is ${status}`, { details: { status } });
}

/** Why a store refused a request. */
export function refusal(
  answer: ItemAnswer & { status: "refused" },
  run: RunId,
  operation = "",
): Error {
  if (answer.why === "elsewhere") return new HeldElsewhere(run);
  if (answer.why === "unknown") return new ClawError("CLAW-3001", `There is no run ${run}`);
  if (answer.why === "closed") return new ClawError("CLAW-3002", `Run ${run} has ended`);
  if (answer.why === "full") return new ClawError("CLAW-3004", `The inbox of ${run} is full`);
  if (answer.why === "state") return wrongState(operation, run, answer.detail || "not held");
  return new ClawError("CLAW-4009", answer.detail);
}
