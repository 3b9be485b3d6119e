import {
  checkKey,
  ClawError,
  decodePayload,
  encodePayload,
  isCoded,
  type Payload,
} from "@claw/core/protocol";
import type { AnyWorkflow } from "@claw/sdk";
import type { KeyView } from "./claw.ts";
import type { Node } from "./node.ts";

/** Runs that wait, as many as are named. */
const NEXT_RUNS = 100;

/** Reads a key for a client. Errors: CLAW-1003, CLAW-1008, CLAW-2044, CLAW-4011. */
export async function viewKey(
  node: Node,
  workflow: AnyWorkflow | string,
  key: string,
): Promise<KeyView<never>> {
  const { registry, namespace } = node;
  const known = typeof workflow === "string" ? registry.newest(workflow) : registry.own(workflow);
  const { name, options } = known;
  if (options.key === undefined) throw new ClawError("CLAW-2044", `"${name}" has no key`);
  node.mustBeAvailable();
  checkKey(key, `"${name}"`);
  const found = await node.store.key({ namespace, workflow: name, key }, NEXT_RUNS);
  const stored = found?.state ?? "";
  if (isCoded(stored)) throw new ClawError("CLAW-4011", `The state of ${JSON.stringify(key)}`);
  const state = decodePayload(stored === "" ? initialOf(node, known) : stored) as never;
  const { head = "", waiting = 0, next = [] } = found ?? {};
  return { workflow: name, key, state, head: head === "" ? null : head, waiting, next };
}

/** The state of a key of this workflow that none was set for. Errors: CLAW-1005, CLAW-1006. */
export function initialOf({ limits }: Pick<Node, "limits">, { options }: AnyWorkflow): Payload {
  return encodePayload(options.initialState, limits.payloadBytesMax);
}
