import type { NodeReport } from "@claw/core/ports";
import type { Node } from "../node.ts";

/** How a node is called by people and by other nodes. */
export interface NodeIdentity {
  /** For people: host name and process id, or what the operator gave. */
  readonly name: string;
  /** Version of the program. */
  readonly release: string;
  /** Where its gateway listens, or empty. */
  readonly address: string;
}

/** What a node says of itself. */
export function describeNode(node: Node): NodeReport {
  return {
    ...node.identity,
    takes: !node.draining && node.hasRoom && node.registry.workflows.length > 0,
    active: node.active.size,
    activeMax: node.limits.activeRunsMax,
    bodies: node.bodies.count,
    hosted: node.registry.workflows.map(({ name, version }) => ({ workflow: name, version })),
  };
}
