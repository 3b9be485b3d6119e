import { decodePayload, type Entry } from "../../protocol/index.ts";
import type { Call } from "../call.ts";

/** receive answers a tagged result when it was given a timeout, else the value itself. */
export function deliverSignalReceived(entry: Entry, call: Call): void {
  const value = decodePayload(entry.data);
  const bare = call.plan.kind === "signal" && call.plan.bare;
  call.resolve(bare ? value : { ok: true, value });
}
