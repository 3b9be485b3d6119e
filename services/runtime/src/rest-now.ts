import { type Rest, restOf, restOfEnded } from "@claw/core/engine";
import type { Activation } from "./activation.ts";

/** What a run in memory without an item to deliver may do; `patient`: it may wait for its children here. */
export function restNow(activation: Activation, patient: boolean, nowMs: number): Rest {
  const { state, awaiting, recoveries, node } = activation;
  // It has proved itself by coming to rest, and being parked says so, before this process ends as well.
  const isBlamed = recoveries > 0;
  const stays = patient && !isBlamed;
  if (awaiting) return restOfEnded(state, stays);
  return restOf(state, nowMs, isBlamed ? 0 : node.limits.parkGraceMs, stays);
}
