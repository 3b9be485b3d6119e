import type { Dedup } from "@claw/core/ports";
import {
  ClawError,
  decodePayload,
  encodePayload,
  fingerprint,
  type Payload,
  refusedStartError,
  type RunId,
  type StartRow,
  traceOfHeaders,
} from "@claw/core/protocol";
import { type AnyWorkflow, validate } from "@claw/sdk";
import type { RunHandle, StartOptions } from "./claw.ts";
import type { Node } from "./node.ts";
import { startRow } from "./registry.ts";
import { handleOf } from "./run-handle.ts";
import { keyOf } from "./run-key.ts";

/** Starts a run for a client. Errors: CLAW-1003, CLAW-1004, CLAW-1008, CLAW-2041, CLAW-3003, CLAW-4009. */
export async function startRun(
  node: Node,
  workflow: AnyWorkflow | string,
  input: unknown,
  options: StartOptions,
): Promise<RunHandle<never>> {
  const { registry } = node;
  const known = typeof workflow === "string" ? registry.newest(workflow) : registry.own(workflow);
  const checking = validate(known.options.input, input, `The input of "${known.name}"`);
  const value: unknown = checking instanceof Promise ? await checking : checking;
  const encoded = encodePayload(value, node.limits.payloadBytesMax);
  node.mustBeAvailable();
  const now = node.clock.now();
  const keyed = keyOf(known, value);
  const dedup = startDedup(node, known, encoded, keyed?.key, options.idempotencyKey, now);
  if (dedup !== null) {
    const met = await node.store.findDedup(dedup.scope);
    if (met !== null) return metBefore(node, met, dedup);
    node.mustBeAvailable();
  }
  const parts = {
    id: node.newId(now, keyed?.key ?? options.idempotencyKey),
    namespace: node.namespace,
    startedAt: now,
    parentRun: "",
    parentCall: "",
    cause: "",
    trace: traceOfHeaders(options.traceparent, options.tracestate),
  };
  const row = startRow(known, encoded, parts, keyed);
  if (keyed !== undefined) return startOfKey(node, row, dedup);
  if (!node.hasRoom) return startLater(node, row, dedup);
  // What the code gets is what replay would give it: plain values are the same either way.
  const asIs = typeof value !== "object" && value !== 0; // -0 is stored as 0
  const given = asIs ? value : decodePayload(encoded);
  return new Promise((resolve, reject) => {
    const started = (id: RunId, existing: boolean): void => resolve(handleOf(node, id, existing));
    node.begin(row, given, { started, failed: reject }, dedup);
  });
}

function metBefore(node: Node, met: { run: RunId; print: string }, dedup: Dedup): RunHandle<never> {
  if (met.print !== dedup.print) throw new ClawError("CLAW-3003");
  return handleOf(node, met.run, true);
}

// Whether it goes at once or waits for its key, the store decides.
async function startOfKey(
  node: Node,
  row: StartRow,
  dedup: Dedup | null,
): Promise<RunHandle<never>> {
  const answer = await node.request({ type: "start", start: { row, due: 1 }, dedup });
  if (answer.status === "refused") {
    const { start, detail } = answer;
    throw start === undefined ? new ClawError("CLAW-4009", detail) : refusedStartError(start);
  }
  if (answer.status === "applied") return handleOf(node, row.id, false);
  if (!answer.same) throw new ClawError("CLAW-3003");
  return handleOf(node, answer.run, true);
}

// There is no room in memory: the run is written down and taken up when there is.
async function startLater(
  node: Node,
  row: StartRow,
  dedup: Dedup | null,
): Promise<RunHandle<never>> {
  const { id, namespace, startedAt } = row;
  const answer = await node.request({
    type: "transition",
    run: id,
    namespace,
    startedAt,
    start: row,
    dedup,
    entries: "",
    firstSeq: 1,
    seq: 0,
    acks: [],
    waits: [],
    unwaits: [],
    starts: [],
    messages: [],
    events: [],
    phase: null,
    park: { due: 1, waits: 0, inboxSeen: 0 },
    hold: null,
    finish: null,
  });
  node.wakes.noRoom();
  if (answer.status === "applied") return handleOf(node, id, false);
  if (answer.status === "refused") throw new ClawError("CLAW-4009", answer.detail);
  if (!answer.same) throw new ClawError("CLAW-3003");
  return handleOf(node, answer.run, true);
}

function startDedup(
  node: Node,
  workflow: AnyWorkflow,
  input: Payload,
  runKey: string | undefined,
  key: string | undefined,
  now: number,
): Dedup | null {
  if (key === undefined) return null;
  if (key === "" || key.length > 500 || !key.isWellFormed() || /\p{Cc}/u.test(key)) {
    throw new ClawError("CLAW-1008", "The idempotency key is not valid");
  }
  return {
    scope: [
      node.namespace,
      "start",
      workflow.name,
      ...(runKey === undefined ? [] : [runKey]),
      key,
    ].join("\u001f"),
    print: fingerprint(input),
    expiresAt: now + node.limits.dedupWindowMs,
  };
}
