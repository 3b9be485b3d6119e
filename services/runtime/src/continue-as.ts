import { CancelledError, ClawError, encodePayload } from "@claw/core/protocol";
import type { Activation } from "./activation.ts";
import { mustCompensate } from "./owed-undo.ts";
import { checkSync } from "./registry.ts";

const never = new Promise<never>(() => {});

/** Lets a run go on as its next generation when this turn is closed. Its promise never settles. */
export function continueAs(
  activation: Activation,
  input: unknown,
  options: { readonly commit?: boolean } = {},
): Promise<never> {
  const { state, workflow, node, inert } = activation;
  if (inert) return never;
  if (state.cancelled !== null) throw new CancelledError(state.cancelled);
  if (options.commit !== true && mustCompensate(activation)) {
    throw new ClawError("CLAW-2032", "The run has done steps that have an undo");
  }
  const value = checkSync(workflow.options.input, input, `The input of "${workflow.name}"`);
  activation.goOnWith(encodePayload(value, node.limits.payloadBytesMax));
  return never;
}
