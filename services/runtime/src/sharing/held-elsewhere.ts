import type { RunId } from "@claw/core/protocol";
import type { Node } from "../node.ts";

/** Another node holds the run: what was asked for goes there. Never seen by a client. */
export class HeldElsewhere extends Error {
  constructor(run: RunId) {
    super(`${run} is held by another node`);
    this.name = "HeldElsewhere";
  }
}

/** Throws when another node holds a run that could not be taken up here. */
export async function mustNotBeElsewhere(node: Node, run: RunId): Promise<void> {
  if (node.sharing === null) return;
  const holder = await node.sharing.store.holder(run);
  if (holder !== null && holder !== node.committer.incarnation) throw new HeldElsewhere(run);
}
