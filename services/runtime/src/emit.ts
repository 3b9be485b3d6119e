import type { Plan } from "@claw/core/engine";
import {
  decodePayload,
  derivedRunId,
  encodePayload,
  fingerprint,
  inheritedTrace,
} from "@claw/core/protocol";
import type { EventType } from "@claw/sdk";
import type { Activation } from "./activation.ts";
import { checkSync, startRow } from "./registry.ts";

/**
 * The plan of an emit and its fingerprint: the event, and the runs that it starts here.
 * Errors: CLAW-1004, CLAW-1005, CLAW-1006.
 */
export function emitPlan(
  activation: Activation,
  call: string,
  event: EventType,
  data: unknown,
): [Plan, string] {
  const { node, state } = activation;
  const value = checkSync(event.schema, data, `The event "${event.type}"`);
  const encoded = encodePayload(value, node.limits.payloadBytesMax);
  const { id, namespace, workflow } = state.start;
  const source = `/claw/${namespace}/${workflow}`;
  const { started, refused } = node.registry.triggered(
    event.type,
    decodePayload(encoded),
    node.limits.payloadBytesMax,
  );
  for (const { workflow: name, error } of refused) node.triggerRefused(event.type, name, error);
  const triggered = started.map((one) =>
    startRow(
      one.workflow,
      one.input,
      {
        id: derivedRunId(id, `${call} ${one.workflow.name}`, state.now),
        namespace,
        startedAt: state.now,
        parentRun: "",
        parentCall: "",
        cause: `event ${source} ${id}/${call}`,
        trace: inheritedTrace(state.start, ""),
      },
      one.keyed,
    ),
  );
  const record = {
    id: `${id}/${call}`,
    source,
    type: event.type,
    time: state.now,
    data: encoded,
  };
  return [{ kind: "emit", event: record, triggered }, fingerprint(`${event.type}|${encoded}`)];
}
