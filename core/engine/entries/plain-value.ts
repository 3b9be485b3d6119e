import { decodePayload, type Entry } from "../../protocol/index.ts";
import type { Call } from "../call.ts";

/** Steps, timers, emitted events, detached starts: the data is the value. */
export function deliverPlainValue(entry: Entry, call: Call): void {
  call.resolve(decodePayload(entry.data));
}
