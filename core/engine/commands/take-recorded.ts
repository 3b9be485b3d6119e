import type { Entry } from "../../protocol/index.ts";
import { takeRecord } from "../records.ts";
import type { RunState } from "../run-state.ts";

/**
 * The record of a call that is answered where it is asked for, taken up; null when there is none. One of another kind or
 * fingerprint is a divergence.
 */
export function takeRecorded(
  run: RunState,
  call: string,
  kindGroup: string,
  print: string,
): Entry | null {
  const recorded = takeRecord(run, call);
  if (recorded === null) return null;
  if (recorded.kindGroup !== kindGroup || recorded.print !== print) {
    run.divergence ??= {
      call,
      recorded: `${recorded.kindGroup || "wait"} ${recorded.print}`,
      asked: `${kindGroup} ${print}`,
    };
  }
  return recorded.item?.entry ?? null;
}
