import { decodePayload, type Entry } from "../../protocol/index.ts";
import type { Call } from "../call.ts";

/** approval answers a tagged result when it was given a timeout, else the decision itself. */
export function deliverApprovalDecided(entry: Entry, call: Call): void {
  const value = decodePayload(entry.data);
  const bare = call.plan.kind === "approval" && call.plan.bare;
  call.resolve(bare ? value : { ok: true, value });
}
