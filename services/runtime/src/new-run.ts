import {
  ClawError,
  derivedRunId,
  encodePayload,
  inheritedTrace,
  type OnParentEnd,
  type StartRow,
} from "@claw/core/protocol";
import type { AnyWorkflow } from "@claw/sdk";
import type { Activation } from "./activation.ts";
import { checkSync, startRow } from "./registry.ts";
import { keyOf } from "./run-key.ts";

/** The definition that a call to start a run means here. Errors: CLAW-1003, which holds the run even if it is caught. */
export function ownWorkflow(activation: Activation, workflow: AnyWorkflow): AnyWorkflow {
  const { node, state } = activation;
  // At replay the run may already have what this node could not start any more.
  if (state.replaying) return workflow;
  try {
    return node.registry.own(workflow);
  } catch (error) {
    // Another node would not throw this: code that goes on from it could not be replayed there.
    activation.mistaken(error);
    throw error;
  }
}

const POLICIES: readonly unknown[] = ["cancel", "abandon", "wait"];

/** What becomes of a child when its parent ends. Errors: CLAW-1001. */
export function checkPolicy(policy: OnParentEnd = "cancel"): OnParentEnd {
  if (POLICIES.includes(policy)) return policy;
  throw new ClawError("CLAW-1001", 'onParentEnd must be "cancel", "abandon" or "wait"');
}

/** The start of a run that a call of another run asks for. Errors: CLAW-1004, CLAW-1005, CLAW-1006, CLAW-1008. */
export function newRunOf(
  { node, state }: Activation,
  workflow: AnyWorkflow,
  input: unknown,
  call: string,
  attached: boolean,
): StartRow {
  const value = checkSync(workflow.options.input, input, `The input of "${workflow.name}"`);
  const parts = {
    id: derivedRunId(state.start.id, call, state.now),
    namespace: state.start.namespace,
    startedAt: state.now,
    parentRun: attached ? state.start.id : "",
    parentCall: attached ? call : "",
    cause: state.start.id,
    trace: inheritedTrace(state.start, attached ? call : ""),
  };
  const keyed = keyOf(workflow, value);
  return startRow(workflow, encodePayload(value, node.limits.payloadBytesMax), parts, keyed);
}
