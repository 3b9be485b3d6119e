import type { CancelTimer } from "@claw/core/ports";
import { checkName, ClawError, durationMs } from "@claw/core/protocol";
import type { Claw } from "./claw.ts";
import type { RuntimeOptions } from "./runtime-options.ts";
import { Client } from "./client.ts";
import { currentRun } from "./current-run.ts";
import { Node } from "./node.ts";
import { recoverFromLoss, takeOver } from "./recovery.ts";
import { Registry } from "./registry.ts";

/** How long `stop` waits for writes under way, in turns of the event loop. */
const DRAIN_TURNS_MAX = 10_000;

const KEEP_ALIVE_MS = 2 ** 30;

let openNodes = 0;
let keepingAlive = 0;
let keepAlive: NodeJS.Timeout | null = null;

/**
 * Opens a runtime on a store: takes ownership, goes on with every open run, and takes new work. It keeps the
 * process alive until `stop`, unless `keepAlive` is false.
 * Errors: CLAW-1001 and CLAW-1002 for definitions; those of `Store.open`.
 */
export async function openRuntime(options: RuntimeOptions): Promise<Claw> {
  if (options.namespace !== undefined) checkName(options.namespace, "The namespace");
  const node = new Node(options, new Registry(options.workflows));
  let stopped: Promise<void> | null = null;
  node.onLost = recoverFromLoss(node, () => stopped !== null);
  try {
    await takeOver(node);
  } catch (error) {
    node.discardAll(error);
    node.timers.clear();
    await options.store.close();
    throw error;
  }
  const keeps = options.keepAlive ?? true;
  attachToProcess(keeps);
  return new Client(node, ({ drain }) => {
    const drainMs = drain === undefined ? 0 : durationMs(drain);
    stopped ??= stop(node, drainMs, () => detachFromProcess(keeps));
    return stopped;
  });
}

async function stop(node: Node, drainMs: number, detach: () => void): Promise<void> {
  const error = new ClawError("CLAW-3005", "The runtime was stopped");
  if (drainMs > 0 && node.available) await drain(node, drainMs);
  node.unavailable ??= error;
  await node.drain(DRAIN_TURNS_MAX);
  node.unavailable = error;
  node.committer.open = false;
  node.loop.stopped = true;
  node.discardAll(error);
  node.results.drop(error);
  node.feeds.drop(error);
  node.timers.clear();
  detach();
  await node.store.close();
}

// Nothing begins any more; what is under way is let to end, and recorded. Clients are still answered.
async function drain(node: Node, drainMs: number): Promise<void> {
  node.draining = true;
  node.sharing?.report();
  const halting = [...node.active.values()].map((activation) => activation.halt(drainMs));
  let cancel: CancelTimer = () => {};
  const longest = new Promise<void>((resolve) => {
    cancel = node.clock.after(drainMs, resolve);
  });
  await Promise.race([Promise.all(halting), longest]);
  cancel();
}

// An author's promise that is rejected without anybody listening belongs to its run, which it
// fails; the node and other runs go on. What belongs to no run keeps Node's default: the process ends.
function onRejection(reason: unknown): void {
  const activation = currentRun.getStore();
  if (activation !== undefined) activation.rejected(reason);
  else if (process.listenerCount("unhandledRejection") === 1) throw reason;
}

// Like an open server, an open runtime keeps its process: what it waits for may be days away.
function attachToProcess(keeps: boolean): void {
  if (openNodes++ === 0) process.on("unhandledRejection", onRejection);
  if (keeps && keepingAlive++ === 0) keepAlive = setInterval(() => {}, KEEP_ALIVE_MS);
}

function detachFromProcess(keeps: boolean): void {
  if (--openNodes === 0) process.off("unhandledRejection", onRejection);
  if (keeps && --keepingAlive === 0 && keepAlive !== null) clearInterval(keepAlive);
}
