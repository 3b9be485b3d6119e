import { declareChanges } from "@claw/core/engine";
import type { RunId } from "@claw/core/protocol";
import type { Activation } from "./activation.ts";
import type { CodeEnd } from "./verdict.ts";

/** The client that waits for the first transition of a run. */
export interface Starter {
  readonly started: (run: RunId, existing: boolean) => void;
  readonly failed: (error: unknown) => void;
}

/** Begins the code of a run, and tells how it ended; code without a promise has ended at once. */
export function startCode(
  { workflow, state, node, context }: Activation,
  input: unknown,
  ended: (end: CodeEnd) => void,
): void {
  const { patches, inserts } = workflow.options;
  if (patches !== undefined || inserts !== undefined) {
    declareChanges(state, patches ?? [], inserts ?? [], node.clock.now());
  }
  let result: unknown;
  try {
    result = workflow.body(context, input);
  } catch (error) {
    ended({ ok: false, error });
    return;
  }
  if (result instanceof Promise) {
    result.then(
      (value: unknown) => ended({ ok: true, value }),
      (error: unknown) => ended({ ok: false, error }),
    );
  } else {
    ended({ ok: true, value: result });
  }
}
