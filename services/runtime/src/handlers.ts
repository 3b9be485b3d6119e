import {
  type Call,
  closeScope,
  handleUpdates,
  idleUpdates,
  type Scope,
  updatesOf,
} from "@claw/core/engine";
import { type ChildOutcome, ClawError, encodePayload, recordError } from "@claw/core/protocol";
import { type Context, isSchema, type UpdateOptions } from "@claw/sdk";
import type { Activation } from "./activation.ts";
import { currentRun } from "./current-run.ts";
import type { Handlers, QueryHandler } from "./visits.ts";

/** The handler of an update, given the scope that is its own. */
type Handle = (scope: Scope, input: never) => unknown;

/** Workflow code answers queries of a name. Errors: CLAW-1001. */
export function registerQuery(activation: Activation, name: string, handler: QueryHandler): void {
  if (typeof handler !== "function") {
    throw new ClawError("CLAW-1001", `The query "${name}" has no function`);
  }
  handlersOf(activation).queries.set(name, handler);
}

/** Workflow code handles updates of a name. Errors: CLAW-1001. */
export function registerUpdate(
  activation: Activation,
  name: string,
  options: UpdateOptions,
  handler: (ctx: Context, input: never) => unknown,
  contextOf: (scope: Scope) => Context,
): void {
  if (typeof handler !== "function" || typeof options !== "object" || options === null) {
    throw new ClawError("CLAW-1001", `The update "${name}" needs options and a function`);
  }
  if (options.input !== undefined && !isSchema(options.input)) {
    throw new ClawError("CLAW-1001", `update "${name}": input is not a Standard Schema`);
  }
  handlersOf(activation).updates.set(name, options);
  const run: Handle = (scope, input) => handler(contextOf(scope), input);
  handleUpdates(activation.state, name, (call, input) => {
    // The turn of an update begins outside of the run's promises.
    currentRun.run(activation, () => void handle(activation, call, run, input as never));
  });
}

function handlersOf(activation: Activation): Handlers {
  activation.handlers ??= { queries: new Map(), updates: new Map() };
  return activation.handlers;
}

async function handle(
  activation: Activation,
  call: Call,
  run: Handle,
  input: never,
): Promise<void> {
  const outcome = await outcomeOf(activation, call, run, input);
  if (activation.inert) return;
  const updates = updatesOf(activation.state);
  updates.running.delete(call);
  updates.ended.push({ call, outcome });
  if (!activation.turnOpen) activation.node.loop.wake(activation);
}

/** Ends updates whose handlers wait for something else than ctx. True when there were any. */
export function giveUpIdle({ state }: Activation): boolean {
  const idle = idleUpdates(state);
  for (const call of idle) {
    const error = new ClawError("CLAW-2007", `The update "${call.id}" waits for no ctx call`);
    closeScope(state, call.scope, error);
    const updates = updatesOf(state);
    updates.running.delete(call);
    updates.ended.push({ call, outcome: { status: "failed", error: recordError(error) } });
  }
  return idle.length > 0;
}

async function outcomeOf(
  activation: Activation,
  call: Call,
  run: Handle,
  input: never,
): Promise<ChildOutcome> {
  try {
    const value: unknown = await run(call.scope, input);
    if (!activation.turnOpen && activation.workflow.options.foreignAwait !== "warn") {
      throw new ClawError("CLAW-2004", `The update "${call.id}" ended outside of a turn`);
    }
    const output = encodePayload(value, activation.node.limits.payloadBytesMax);
    return { status: "completed", output };
  } catch (error) {
    return { status: "failed", error: recordError(error) };
  }
}
