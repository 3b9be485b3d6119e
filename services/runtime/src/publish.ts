import type { NewRun } from "@claw/core/ports";
import {
  ClawError,
  decodePayload,
  encodePayload,
  refusedStartError,
  type StoredEvent,
  traceOfHeaders,
} from "@claw/core/protocol";
import type { EventInput, PublishResult } from "./claw.ts";
import type { Node } from "./node.ts";
import { startRow } from "./registry.ts";

/** Stores an event for a client, and starts what it triggers. Errors: CLAW-5008, CLAW-4009. */
export async function publish(node: Node, event: EventInput): Promise<PublishResult> {
  const stored = toStored(node, event);
  node.mustBeAvailable();
  const now = node.clock.now();
  const { started, refused } = node.registry.triggered(
    event.type,
    decodePayload(stored.data),
    node.limits.payloadBytesMax,
  );
  for (const { workflow, error } of refused) node.triggerRefused(event.type, workflow, error);
  const trace = traceOfHeaders(event.traceparent, event.tracestate);
  const starts = started.map(({ workflow, input, keyed }): NewRun => {
    const parts = {
      id: node.newId(now, keyed?.key),
      namespace: node.namespace,
      startedAt: now,
      parentRun: "",
      parentCall: "",
      cause: `event ${stored.source} ${stored.id}`,
      trace,
    };
    const row = startRow(workflow, input, parts, keyed);
    // A run of a key takes its place in memory when its turn comes.
    return { row, due: keyed === undefined && node.admit() ? 0 : 1 };
  });
  const answer = await node.request({
    type: "publication",
    namespace: node.namespace,
    event: stored,
    starts,
  });
  if (answer.status === "refused") throw new ClawError("CLAW-4009", answer.detail);
  if (answer.status === "duplicate") {
    return { status: "duplicate", started: [], refused: [] };
  }
  const full = answer.refused ?? [];
  for (const one of full) node.triggerRefused(event.type, one.workflow, refusedStartError(one));
  return {
    status: "accepted",
    started: starts.map(({ row }) => row.id).filter((id) => !full.some(({ run }) => run === id)),
    refused: [
      ...refused.map(({ workflow, error }) => ({ workflow, reason: error.detail })),
      ...full.map((one) => ({ workflow: one.workflow, reason: refusedStartError(one).detail })),
    ],
  };
}

function toStored(node: Node, event: EventInput): StoredEvent {
  const { type, subject } = event;
  const now = node.clock.now();
  const source = event.source ?? `/claw/${node.namespace}`;
  const id = event.id ?? `evt_${node.newId(now, undefined).slice(4)}`;
  const time = event.time === undefined ? now : Math.round(Number(event.time));
  for (const [field, text] of Object.entries({ type, source, id, subject })) {
    if (field === "subject" && text === undefined) continue;
    const valid = typeof text === "string" && text !== "" && text.length <= 2_000;
    if (!valid || /\p{Cc}/u.test(text) || !text.isWellFormed()) {
      throw new ClawError("CLAW-5008", `The event's ${field} is not valid`);
    }
  }
  if (!Number.isSafeInteger(time))
    throw new ClawError("CLAW-5008", "The event's time is not valid");
  const data = encodePayload(event.data, node.limits.payloadBytesMax);
  return { id, source, type, ...(subject === undefined ? {} : { subject }), time, data };
}
