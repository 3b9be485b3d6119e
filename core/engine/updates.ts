import { type ChildOutcome, encodeKey } from "../protocol/index.ts";
import type { Call } from "./call.ts";
import { allUnasked } from "./records.ts";
import type { RunState } from "./run-state.ts";
import { innerScope, isWithin } from "./scope.ts";

/** Begins the handler of an update; called in the turn that delivers it. */
export type BeginUpdate = (call: Call, input: unknown) => void;

/** An update that the journal knows. */
export interface TakenUpdate {
  readonly print: string;
  /** True once its end is recorded. */
  ended: boolean;
  /** Its end once that is durable. */
  outcome: ChildOutcome | null;
}

/** What a run knows of its updates; made with the first handler or the first recorded update. */
export interface Updates {
  /** By the name of the update. */
  readonly handlers: Map<string, BeginUpdate>;
  /** By call. */
  readonly taken: Map<string, TakenUpdate>;
  /** Updates whose handler was begun in this life and has not ended. */
  readonly running: Set<Call>;
  /** Handlers that have ended since the last turn was closed. */
  readonly ended: { readonly call: Call; readonly outcome: ChildOutcome }[];
}

/** The updates of a run, begun if there are none. */
export function updatesOf(run: RunState): Updates {
  run.updates ??= { handlers: new Map(), taken: new Map(), running: new Set(), ended: [] };
  return run.updates;
}

/** The call of an update: its path begins with "/", so that no name of an author leads there. Errors: CLAW-1008. */
export function updateCallId(id: string): string {
  return `/update#${encodeKey(id)}`;
}

/** Fingerprint of an update: of what was sent, and its name. */
export function updatePrint(name: string, inputPrint: string): string {
  return `${inputPrint} ${name}`;
}

function nameOf(print: string): string {
  return print.slice(print.indexOf(" ") + 1);
}

/**
 * Workflow code handles updates of a name from now on. At replay the recorded updates of that name count as
 * asked for: each is delivered in its turn.
 */
export function handleUpdates(run: RunState, name: string, begin: BeginUpdate): void {
  updatesOf(run).handlers.set(name, begin);
  if (run.records === null) return;
  const unasked = allUnasked(run);
  for (const [call, { kindGroup, print, item }] of unasked) {
    if (kindGroup !== "update" || item === null || nameOf(print) !== name) continue;
    unasked.delete(call);
    item.call = updateCall(run, call, print);
  }
}

/** The call of an update with the scope of its handler: open until its turn, and never in `run.open`. */
export function updateCall(run: RunState, id: string, print: string): Call {
  const name = nameOf(print);
  const call: Call = {
    id,
    scope: innerScope(run.root, id, false),
    plan: { kind: "update", name },
    print,
    open: true,
    answered: true,
    begun: true,
    running: false,
    askedIn: run.turn,
    attempt: 1,
    dueAt: 0,
    resolve: (input) => {
      run.updates?.running.add(call);
      run.updates?.handlers.get(name)?.(call, input);
    },
    reject: () => {},
    before: null,
    after: null,
  };
  return call;
}

/** Updates that were taken and have no recorded end. */
export function openUpdates(run: RunState): string[] {
  if (run.updates === null) return [];
  return [...run.updates.taken].filter(([, { ended }]) => !ended).map(([call]) => call);
}

/** Updates under way that wait for no ctx call: nothing durable can go on with them. */
export function idleUpdates(run: RunState): Call[] {
  if (run.updates === null || run.updates.running.size === 0) return [];
  const idle = new Set(run.updates.running);
  for (const { scope } of run.open) {
    for (const update of idle) if (isWithin(scope, update.scope)) idle.delete(update);
  }
  return [...idle];
}
