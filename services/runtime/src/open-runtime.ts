import { checkName } from "@claw/core/protocol";
import { currentRun } from "./activation.ts";
import type { Claw, RuntimeOptions } from "./claw.ts";
import { Client } from "./client.ts";
import { Node } from "./node.ts";
import { recoverFromLoss, takeOver } from "./recovery.ts";
import { Registry } from "./registry.ts";

/** How long `stop` waits for writes under way, in turns of the event loop. */
const DRAIN_TURNS_MAX = 10_000;

let openNodes = 0;

/**
 * Opens a runtime on a store: takes ownership, goes on with every open run, and takes new work.
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
    await options.store.close();
    throw error;
  }
  watchRejections();
  return new Client(node, () => {
    stopped ??= stop(node);
    return stopped;
  });
}

async function stop(node: Node): Promise<void> {
  for (let turn = 0; turn < DRAIN_TURNS_MAX; turn++) {
    if (!node.available || node.committer.idle) break;
    node.loop.schedule();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { ClawError } = await import("@claw/core/protocol");
  const error = new ClawError("CLAW-3005", "The runtime was stopped");
  node.unavailable = error;
  node.committer.open = false;
  node.loop.stopped = true;
  node.discardAll(error);
  unwatchRejections();
  await node.store.close();
}

// An author's promise that is rejected without anybody listening belongs to its run, which it
// fails; the node and other runs go on. What belongs to no run keeps Node's default: the process ends.
function onRejection(reason: unknown): void {
  const activation = currentRun.getStore();
  if (activation !== undefined) activation.rejected(reason);
  else if (process.listenerCount("unhandledRejection") === 1) throw reason;
}

function watchRejections(): void {
  if (openNodes++ === 0) process.on("unhandledRejection", onRejection);
}

function unwatchRejections(): void {
  if (--openNodes === 0) process.off("unhandledRejection", onRejection);
}
