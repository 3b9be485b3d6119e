import { reopenRun, type RunState } from "@claw/core/engine";
import type { Store } from "@claw/core/ports";
import { decodePayload, Journal, keyForReplay, type RunRecord } from "@claw/core/protocol";
import type { AnyWorkflow } from "@claw/sdk";
import { Activation } from "./activation.ts";
import { Node } from "./node.ts";
import { Registry } from "./registry.ts";

/** Turns of the event loop that a replay gets besides those for its entries. */
const TURNS_MORE = 200;

/** What the code at hand makes of the journal of an open run. */
export interface Replayed {
  /**
   * `agrees`: it asks for all that is recorded and goes on · `diverged` · `bug`: it throws a programming
   * error on the way · `stuck`: it awaits something else than ctx · `no_code`: nobody defines it.
   */
  readonly verdict: "agrees" | "diverged" | "bug" | "stuck" | "no_code";
  /** Why it would be held; empty when it agrees. */
  readonly reason: string;
}

/**
 * Replays the journal of an open run with other code, in memory: nothing is written, no body, timer or
 * child begins. Errors: CLAW-1001 and CLAW-1002 for definitions.
 */
export async function replayRecorded(
  record: RunRecord,
  workflows: readonly AnyWorkflow[],
): Promise<Replayed> {
  const registry = new Registry(workflows);
  const workflow = registry.find(record.workflow, record.version);
  if (workflow === undefined) {
    const reason = `workflow ${record.workflow}@${record.version} is not defined there`;
    return { verdict: "no_code", reason };
  }
  // This node is never opened: what it decides is not sent, and nothing begins that was not sent.
  const node = new Node({ store: NO_STORE, workflows, namespace: record.namespace }, registry);
  const state = stateOf(record);
  const activation = new Activation(node, state, workflow, decodePayload(record.input));
  node.loop.wake(activation);
  for (let turn = 0; turn < record.journal.length * 2 + TURNS_MORE; turn++) {
    if (isDecided(state)) break;
    await new Promise((resolve) => setImmediate(resolve));
  }
  const replayed = verdictOf(state);
  activation.retire();
  node.loop.stopped = true;
  node.timers.clear();
  node.wakes.stop();
  return replayed;
}

// None of its verbs is called.
const NO_STORE = {} as Store;

function stateOf(record: RunRecord): RunState {
  const { id, namespace, workflow, version, input, startedAt, parentRun, cause, journal } = record;
  const start = {
    id,
    namespace,
    workflow,
    version,
    input,
    startedAt,
    parentRun,
    parentCall: "",
    cause,
  };
  const keyed = record.queue === undefined ? null : keyForReplay(record.queue.key, journal);
  return reopenRun({
    start: keyed === null ? start : { ...start, keyed },
    ...(keyed === null ? {} : { keyState: keyed }),
    journal: Journal.of(journal),
    journalText: "",
    inbox: [],
    inboxSeq: 0,
    waits: [],
    phase: record.status === "compensating" ? "compensating" : "",
  });
}

function isDecided({ draft, replaying }: RunState): boolean {
  return !replaying || (draft !== null && (draft.hold !== null || draft.ending !== null));
}

function verdictOf({ draft, replaying }: RunState): Replayed {
  const hold = draft?.hold ?? null;
  if (hold !== null) {
    const verdict = hold.kind === "diverged" || hold.kind === "bug" ? hold.kind : "stuck";
    return { verdict, reason: hold.reason };
  }
  if (!replaying || (draft !== null && draft.ending !== null)) {
    return { verdict: "agrees", reason: "" };
  }
  return { verdict: "stuck", reason: "the code waits for something else than ctx" };
}
