import type { Verdict } from "@claw/core/engine";
import {
  ClawError,
  describeError,
  encodePayload,
  type Hold,
  isCancelled,
  isClawError,
  isKernelError,
  type Payload,
  recordError,
} from "@claw/core/protocol";
import type { AnyWorkflow } from "@claw/sdk";
import { checkSync } from "./registry.ts";

/** How the code of a run ended: what it returned or threw. */
export type CodeEnd =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: unknown };

/** What that means for the run: an end, or a hold until the code is corrected. */
export type Judgement =
  | { readonly kind: "end"; readonly verdict: Verdict }
  | { readonly kind: "continue"; readonly input: Payload }
  | { readonly kind: "hold"; readonly hold: Hold; readonly reason: string };

const PROGRAMMING_ERRORS = new Set([
  "TypeError",
  "ReferenceError",
  "RangeError",
  "SyntaxError",
  "AssertionError",
]);
// Errors of ours that only a change of the code can mend.
const MISUSE = new Set([
  "CLAW-1001",
  "CLAW-1003",
  "CLAW-1007",
  "CLAW-1008",
  "CLAW-1009",
  "CLAW-2004",
  "CLAW-2031",
  "CLAW-2032",
  "CLAW-2044",
]);

/**
 * Judges the end of workflow code. A programming error holds the run for corrected code instead of
 * failing it: it must not look like a decision of the author.
 */
export function judge(
  end: CodeEnd,
  workflow: AnyWorkflow,
  cancelled: string | null,
  payloadBytesMax: number,
): Judgement {
  let error: unknown;
  if (end.ok) {
    try {
      const { name, options } = workflow;
      const value = checkSync(options.output, end.value, `The output of "${name}"`);
      const output = encodePayload(value, payloadBytesMax);
      return { kind: "end", verdict: { status: "completed", output } };
    } catch (refused) {
      error = refused;
    }
  } else {
    error = end.error;
  }
  if (cancelled !== null && isCancelled(error)) {
    return { kind: "end", verdict: { status: "cancelled", error: recordError(error) } };
  }
  if (isMistake(error)) {
    const { name, message, stack } = recordError(error);
    return { kind: "hold", hold: "bug", reason: stack ?? `${name}: ${message}` };
  }
  return { kind: "end", verdict: { status: "failed", error: recordError(error) } };
}

function isMistake(error: unknown): boolean {
  if (error instanceof ClawError) return MISUSE.has(error.code);
  if (isKernelError(error)) return false;
  // The record is read instead of the error, whose fields may throw.
  return error instanceof Error && PROGRAMMING_ERRORS.has(recordError(error).name);
}

/** Code that ended outside of a turn had awaited something else than ctx, whatever it returned or threw. */
export function foreignEnd(end: CodeEnd): CodeEnd {
  if (!end.ok && isClawError(end.error, "CLAW-2004")) return end;
  const how = end.ok ? "" : ` with ${describeError(recordError(end.error))}`;
  const error = new ClawError("CLAW-2004", `The code ended outside of a turn${how}`);
  return { ok: false, error };
}
