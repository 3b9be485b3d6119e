import { allUnasked } from "./records.ts";
import type { Divergence, RunState } from "./run-state.ts";

/** Calls that both know, shown before the point where they part. */
const BEFORE_MAX = 3;
/** Calls of one side shown after it. */
const AFTER_MAX = 8;

/** A readable sentence about where code and journal disagree. */
function describeDivergence(divergence: Divergence): string {
  const asked = divergence.asked === "" ? "nothing" : divergence.asked;
  return `the journal has ${divergence.recorded} "${divergence.call}", the code asks for ${asked}`;
}

/**
 * The sentence, and below it recorded calls beside asked ones around the point: one line each, "-" for what only
 * the journal has, "+" for what only the code asks for. Empty for a run that has not diverged.
 */
export function explainDivergence(run: RunState): string {
  const { divergence } = run;
  if (divergence === null) return "";
  const both = run.queue
    .filter(({ call }) => call !== null && call.id !== divergence.call)
    .slice(-BEFORE_MAX)
    .map(({ call }) => `  ${call?.plan.kind} ${call?.id}`);
  const lines = [describeDivergence(divergence), ...both];
  const unasked = allUnasked(run);
  const isUnasked = unasked.has(divergence.call);
  // The call is the same, but declares something else.
  if (!isUnasked) lines.push(`- ${divergence.call}: ${divergence.recorded}`);
  const recorded = [...unasked].map(([id, { kindGroup }]) => `- ${kindGroup || "wait"} ${id}`);
  lines.push(...shortened(recorded));
  if (!isUnasked) lines.push(`+ ${divergence.call}: ${divergence.asked}`);
  const asked = run.asked.map(({ id, plan }) => `+ ${plan.kind} ${id}`);
  lines.push(...shortened(asked));
  if (isUnasked && asked.length === 0) lines.push(`+ ${divergence.asked || "nothing"}`);
  return lines.join("\n");
}

function shortened(lines: readonly string[]): readonly string[] {
  if (lines.length <= AFTER_MAX) return lines;
  const [first = ""] = lines;
  return [...lines.slice(0, AFTER_MAX), `${first[0]} ... ${lines.length - AFTER_MAX} more`];
}
