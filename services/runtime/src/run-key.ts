import { checkKey, ClawError, limits, type RunKey } from "@claw/core/protocol";
import type { AnyWorkflow } from "@claw/sdk";

/** The key of a run with this checked input; undefined for a workflow without keys. Errors: CLAW-1008. */
export function keyOf(workflow: AnyWorkflow, input: unknown): RunKey | undefined {
  const { options, name } = workflow;
  if (options.key === undefined) return undefined;
  const waitingMax = options.mailbox?.max ?? limits.MAILBOX_RUNS;
  const onHeldHead = options.onHeldHead ?? "block";
  return { key: checkKey(ask(workflow, input), `"${name}"`), waitingMax, onHeldHead };
}

// The author's function reads an input of the author's: whatever it throws is a coded error.
function ask({ name, options }: AnyWorkflow, input: unknown): unknown {
  try {
    return options.key?.(input);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ClawError("CLAW-1008", `"${name}": its key function threw: ${why}`, { cause: error });
  }
}
