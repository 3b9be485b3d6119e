import { decodePayload, ENTRY_KINDS, type EventNote } from "@claw/core/protocol";
import type { World } from "../world.ts";

/** Events and children stay in the namespace of their run. */
export function checkNamespaces({ truth, ledger }: World): void {
  const within = (namespace: string, source: string): boolean =>
    source === `/claw/${namespace}` || source.startsWith(`/claw/${namespace}/`);
  for (const { start, entries } of truth.runs.values()) {
    const { id, namespace, cause } = start;
    const parent = truth.runs.get(cause);
    const own =
      (!cause.startsWith("event ") || within(namespace, cause.split(" ")[1] ?? "")) &&
      (parent === undefined || parent.start.namespace === namespace);
    ledger.check("nothing crosses a namespace", own, () => `${id} of ${namespace}: ${cause}`);
    for (const { kind, data } of entries) {
      if (kind !== ENTRY_KINDS.eventReceived) continue;
      const { source } = (decodePayload(data) as EventNote).event;
      ledger.check(
        "nothing crosses a namespace",
        within(namespace, source),
        () => `${id} of ${namespace} took an event of ${source}`,
      );
    }
  }
}
