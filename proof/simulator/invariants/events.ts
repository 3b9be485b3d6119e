import { decodePayload, ENTRY_KINDS, type EventNote } from "@claw/core/protocol";
import type { MemoryDisk } from "@claw/store-memory";
import type { ExpectedCall, Facts } from "../model.ts";
import type { Statement } from "../statement.ts";
import type { World } from "../world.ts";

type EventRow = ReturnType<MemoryDisk["events"]["of"]>[number];
type WaitFor = Statement & { op: "waitFor" };

/** An event may be on its way while the time of a wait runs out. */
const SLACK_MS = 2_000;

/** The waits of a run for one key take each event once, in order, and miss none since its start. */
export function checkEvents(
  world: World,
  facts: Facts,
  calls: ReadonlyMap<string, ExpectedCall>,
  past: ReadonlyMap<string, ExpectedCall>,
): void {
  const { ledger } = world;
  const all = past.size === 0 ? calls : new Map([...past, ...calls]);
  for (const [call, { statement, askedAt, answer }] of calls) {
    if (statement.op !== "waitFor" || answer === undefined) continue;
    const before = takenBefore(facts, all, statement, answer.seq);
    const first = firstEvent(world, facts, statement, Math.max(0, ...before.keys()));
    const name = `${facts.run} ${call}`;
    if (answer.kind === ENTRY_KINDS.eventReceived) {
      const { number } = decodePayload(answer.data) as EventNote;
      ledger.check(
        "waits skip no event",
        number <= (first?.seq ?? number),
        () => `${name} took ${number}, the next was ${first?.seq}`,
      );
      ledger.check(
        "an event is taken once per key",
        before.get(number) !== true,
        () => `${name} took ${number} again`,
      );
    } else if (takenBefore(facts, all, statement, askedAt + 1).size === before.size) {
      // Of several waits for one key the later ones look on, which may be after their time.
      ledger.check(
        "a wait misses no event",
        first === undefined || first.loggedAt + SLACK_MS > answer.at,
        () => `${name} timed out, event ${first?.seq} was there`,
      );
    }
  }
}

// Numbers of the key's events taken before an entry, and whether they reached the code.
function takenBefore(
  facts: Facts,
  calls: ReadonlyMap<string, ExpectedCall>,
  statement: WaitFor,
  seq: number,
): Map<number, boolean> {
  const taken = new Map<number, boolean>();
  for (const entry of facts.entries.slice(0, seq - 1)) {
    if (entry.kind !== ENTRY_KINDS.eventReceived) continue;
    const other = calls.get(entry.call);
    if (other?.statement.op !== "waitFor" || !sameKey(other.statement, statement)) continue;
    const { number } = decodePayload(entry.data) as EventNote;
    taken.set(number, other.delivered || taken.get(number) === true);
  }
  return taken;
}

function sameKey(a: WaitFor, b: WaitFor): boolean {
  return a.type === b.type && a.match === b.match;
}

function firstEvent(
  world: World,
  facts: Facts,
  { type, match }: WaitFor,
  after: number,
): EventRow | undefined {
  const all = world.disk.events.of("");
  for (let at = after; at < all.length; at++) {
    const row = all[at] as EventRow;
    if (row.namespace !== facts.namespace || row.event.type !== type) continue;
    if (row.loggedAt < facts.startedAt) continue;
    const { k } = decodePayload(row.event.data) as { k: number };
    if (match === null || k === match) return row;
  }
  return undefined;
}
