import type { Divergence } from "./run-state.ts";

/** A readable sentence about where code and journal disagree. */
export function describeDivergence(divergence: Divergence): string {
  const asked = divergence.asked === "" ? "nothing" : divergence.asked;
  return `the journal has ${divergence.recorded} "${divergence.call}", the code asks for ${asked}`;
}
