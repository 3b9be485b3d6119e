import type { Call } from "./call.ts";
import type { RunState } from "./run-state.ts";

/** What a run knows of changes of its code; made when its journal or its code speaks of one. */
export interface Evolution {
  /** The first answer of each `patched`, which holds for good. */
  readonly patches: Map<string, boolean>;
  /** Names of calls that may begin before everything recorded was asked for. */
  readonly inserts: ReadonlySet<string>;
  /** True while such a call is under way although the journal has calls that were not asked for. */
  inserting: boolean;
}

/** What a run knows of changes of its code, begun if there is nothing. */
export function evolutionOf(run: RunState): Evolution {
  run.evolution ??= { patches: new Map(), inserts: new Set(), inserting: false };
  return run.evolution;
}

/**
 * Nothing recorded can be delivered and some of it was not asked for: true when inserted calls are open,
 * which begin at the close of this turn, or go on.
 */
export function insertCalls(run: RunState): boolean {
  const { evolution } = run;
  if (evolution === null || evolution.inserts.size === 0) return false;
  evolution.inserting = [...run.open].some((call) => isInserted(call, evolution.inserts));
  return evolution.inserting;
}

/** True for a call that a declared name lets begin before everything recorded was asked for. */
export function isInserted(call: Call, inserts: ReadonlySet<string>): boolean {
  for (const segment of call.id.split("/")) {
    const name = segment.replace(/[#[].*$/, "");
    if (
      inserts.has(name) ||
      inserts.has(name.replace(/^(child|emit|event|signal|start|stream):/, ""))
    ) {
      return true;
    }
  }
  return false;
}
