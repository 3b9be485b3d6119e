import { decodePayload, type RunId } from "@claw/core/protocol";
import { decideHere } from "../approvals.ts";
import type { Node } from "../node.ts";
import { pauseHere, releaseHere, resumeHere, skipHere, terminateHere } from "../operate.ts";
import { askHere, updateHere } from "../visit-run.ts";
import type { Asked } from "./where-held.ts";

/** Does something with a run here. Errors: those of the operation; HeldElsewhere when another node holds the run. */
export function carryOutHere(node: Node, run: RunId, asked: Asked): Promise<unknown> {
  switch (asked.op) {
    case "query":
      return askHere(node, run, asked.query);
    case "update":
      return updateHere(node, run, asked.offer, asked.isNew);
    case "skip":
      return skipHere(node, run, asked.call, decodePayload(asked.value), asked.by);
    case "decide":
      return decideHere(node, run, asked.call, asked.decision);
    case "pause":
      return pauseHere(node, run, asked.note);
    case "resume":
      return resumeHere(node, run);
    case "release":
      return releaseHere(node, run);
    default:
      return terminateHere(node, run, asked.reason);
  }
}
