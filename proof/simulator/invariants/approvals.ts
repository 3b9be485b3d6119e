import { type Decision, decodePayload, type Entry, ENTRY_KINDS } from "@claw/core/protocol";
import type { ExpectedCall, Facts } from "../model.ts";
import type { KnownRun } from "../truth.ts";
import type { World } from "../world.ts";

/** What clients were told about decisions, and what the store must hold of them. */
export class ApprovalCheck {
  readonly #world: World;
  /** Acknowledged decisions by run and call. */
  readonly #decided = new Map<string, number>();
  /** The runs that acknowledged decisions were for, by the number of the decision. */
  readonly #owed = new Map<number, string>();

  constructor(world: World) {
    this.#world = world;
  }

  /** A decision with this number was acknowledged. */
  acknowledged(run: string, call: string, n: number): void {
    const place = `${run} ${call}`;
    const first = this.#decided.get(place);
    this.#decided.set(place, first ?? n);
    this.#owed.set(n, run);
    this.#world.ledger.check(
      "of several decisions the first counts",
      first === undefined || first === n,
      () => `${place}: ${first} and ${n}`,
    );
  }

  /** A run has ended: its approvals brought what was decided, by whom it was asked of, and in time. */
  ended(facts: Facts, calls: ReadonlyMap<string, ExpectedCall>): void {
    const { ledger } = this.#world;
    for (const [call, { statement, answer }] of calls) {
      if (statement.op !== "approval" || answer === undefined) continue;
      const name = `${facts.run} ${call}`;
      const told = this.#decided.get(name);
      if (answer.kind === ENTRY_KINDS.approvalDecided) {
        const { by, value } = decodePayload(answer.data) as Decision<{ n: number }>;
        const mayDecide = statement.assignees.length === 0 || statement.assignees.includes(by);
        ledger.check("only assignees decide", mayDecide, () => `${name} by ${by}`);
        ledger.check(
          "an approval brings the decision that was acknowledged",
          told === undefined || told === value?.n,
          () => `${name} has ${value?.n}, told ${told}`,
        );
      } else {
        ledger.check(
          "an acknowledged decision never times out",
          told === undefined,
          () => `${name}: ${told} was acknowledged`,
        );
      }
    }
  }

  /** Everything has ended: what was decided came to the code, or the run's record says that it did not. */
  audit(): void {
    const { truth, disk, ledger } = this.#world;
    const { approvalDecided, decisionUnused } = ENTRY_KINDS;
    for (const [n, id] of this.#owed) {
      const run = truth.runs.get(id);
      if (run === undefined || !disk.closed.has(id)) continue;
      const isIt = ({ kind, data }: Entry): boolean =>
        (kind === approvalDecided || kind === decisionUnused) && data.includes(`"n":${n}}`);
      const found = run.entries.findLast(isIt);
      if (found?.kind === decisionUnused) ledger.count("decision unused");
      ledger.check(
        "an acknowledged decision is in the record of its run",
        found !== undefined,
        () => `decision ${n} of ${id}, which is ${run.ending?.status}`,
      );
    }
  }
}

/** The attributes of a run are what its code has set, in the order of the journal. */
export function checkAttributes(
  { ledger, disk }: World,
  run: KnownRun,
  calls: ReadonlyMap<string, ExpectedCall>,
): void {
  const expected = new Map<string, unknown>();
  for (const { kind, call } of run.entries) {
    const statement = kind === ENTRY_KINDS.attributesSet ? calls.get(call)?.statement : undefined;
    if (statement?.op !== "attributes") continue;
    for (const [name, value] of Object.entries(statement.values)) {
      if (value === null) expected.delete(name);
      else expected.set(name, value);
    }
  }
  const found = disk.attributes.get(run.start.id) ?? {};
  const text = (values: Iterable<[string, unknown]>): string =>
    JSON.stringify([...values].map((one) => JSON.stringify(one)).sort());
  ledger.check(
    "attributes are what the code has set",
    text(Object.entries(found)) === text(expected),
    () => `${run.start.id}: ${text(Object.entries(found))} is not ${text(expected)}`,
  );
}
