import type { NodeView } from "../claw.ts";
import type { Node } from "../node.ts";
import { describeNode } from "./describe-node.ts";

/** The nodes that work on the store of a node. Errors: CLAW-3005. */
export async function viewNodes(node: Node): Promise<readonly NodeView[]> {
  node.mustBeAvailable();
  const { incarnation } = node.committer;
  if (node.sharing === null) {
    const since = node.openedAt;
    return [{ ...describeNode(node), incarnation, since, leaseLeftMs: null, isThis: true }];
  }
  const records = await node.sharing.store.nodes();
  return records.map((one) =>
    one.incarnation === incarnation
      ? { ...one, ...describeNode(node), isThis: true }
      : { ...one, isThis: false },
  );
}
