import type { Decision, Payload, RunId } from "@claw/core/protocol";
import type { Node } from "../node.ts";
import type { Offer, Query } from "../visits.ts";

/** What a client wants of a run that only the node which holds it can do. */
export type Asked =
  | { readonly op: "query"; readonly query: Query }
  | { readonly op: "update"; readonly offer: Offer; readonly isNew: boolean }
  | { readonly op: "skip"; readonly call: string; readonly value: Payload; readonly by: string }
  | { readonly op: "decide"; readonly call: string; readonly decision: Decision }
  | { readonly op: "pause"; readonly note: string }
  | { readonly op: "resume" }
  | { readonly op: "release" }
  | { readonly op: "terminate"; readonly reason: string };

/** Does something with a run, wherever it is held. */
export function whereHeld<T>(
  node: Node,
  run: RunId,
  asked: Asked,
  here: () => Promise<T>,
): Promise<T> {
  if (node.sharing === null) return here();
  return node.sharing.errands.route(run, asked, here);
}
