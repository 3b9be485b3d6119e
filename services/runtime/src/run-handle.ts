import {
  checkName,
  ClawError,
  decodePayload,
  type Duration,
  durationMs,
  type Ending,
  type RunId,
  StepError,
} from "@claw/core/protocol";
import type { RunHandle, RunResult } from "./claw.ts";
import { chunkSource } from "./feeds/chunk-source.ts";
import { entrySource } from "./feeds/entry-source.ts";
import { Feed } from "./feeds/feed.ts";
import type { Node } from "./node.ts";

interface WaitFor {
  readonly timeout?: Duration;
}

/** What a client holds of a run. `existing`: an earlier start of the same key made it. */
export function handleOf(node: Node, id: RunId, existing: boolean): RunHandle<never> {
  const ended = async (options: WaitFor = {}): Promise<RunResult<never>> => {
    return toResult(await endingOf(node, id, options.timeout), id);
  };
  const result = async (options: WaitFor = {}): Promise<never> => {
    const outcome = toResult(await endingOf(node, id, options.timeout), id);
    if (outcome.status === "completed") return outcome.output;
    throw outcome.error;
  };
  return {
    id,
    existing,
    ended,
    result,
    stream: (name, options = {}) => {
      checkName(name, "The stream");
      return new Feed(node, chunkSource(node, id, name), options);
    },
    streams: (options = {}) => new Feed(node, chunkSource(node, id, undefined), options),
    events: (options = {}) => new Feed(node, entrySource(node, id), options),
  };
}

async function endingOf(node: Node, id: RunId, timeout: Duration | undefined): Promise<Ending> {
  node.mustBeAvailable();
  const deadline = timeout === undefined ? 0 : node.clock.now() + durationMs(timeout);
  // Registered before looking: an end between the two is not missed.
  const waiting = node.results.wait(id, deadline);
  // What is in memory has not ended, durably, and its end will be told.
  if (node.active.has(id)) return waiting;
  waiting.catch(() => {});
  const record = await node.store.find(id);
  if (record === null) {
    node.results.unknown(id, new ClawError("CLAW-3001", `There is no run ${id}`));
    return waiting;
  }
  if (record.endedAt === null) {
    node.sharing?.post.expect();
    return waiting;
  }
  const { status, endedAt, output, error, abandoned } = record;
  const ending = { status, endedAt, output, error, abandoned } as Ending;
  node.results.ended(id, ending);
  return ending;
}

function toResult(ending: Ending, run: RunId): RunResult<never> {
  if (ending.status === "completed") {
    return { status: "completed", output: decodePayload(ending.output) as never };
  }
  const record = ending.error ?? { name: "Error", message: "no error was recorded" };
  return { status: ending.status, error: new StepError(record, run, 1, "CLAW-2001") };
}
