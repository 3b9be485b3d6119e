import { type ChildOutcome, decodePayload, ENTRY_KINDS } from "@claw/core/protocol";
import type { Claw } from "@claw/runtime";
import type { Host } from "../host.ts";
import { isRefused, QUERY, UPDATE, type UpdateInput, updatePath } from "../statements/handlers.ts";
import type { Desk } from "./desk.ts";

/** No such handler · refused · the run ended first · held · no code here · code and journal disagree · used otherwise. */
const DECLARED = [
  "CLAW-3006",
  "CLAW-3007",
  "CLAW-3010",
  "CLAW-2015",
  "CLAW-2011",
  "CLAW-2005",
  "CLAW-2007",
  "CLAW-3003",
];

/** Clients that ask runs and change them. */
export class Updaters {
  readonly #desk: Desk;
  /** Answers by the id of the update. */
  readonly #answers = new Map<string, string>();

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  /** What was answered is void: the store went back in time. */
  forget(): void {
    this.#answers.clear();
  }

  /** Asks a run what its code has seen. */
  query(host: Host, claw: Claw): void {
    const { world } = this.#desk;
    const run = this.#desk.pickOpen();
    if (run === undefined) return;
    const told = (seen: readonly string[]): void => {
      const answers = world.truth.runs.get(run)?.answers;
      const early = seen.find((call) => answers?.has(call) !== true);
      world.ledger.check(
        "a query answers only what is durable",
        early === undefined,
        () => `${run} says ${early}`,
      );
    };
    this.#desk.asked(host, "query", claw.query<readonly string[]>(run, QUERY), told, {
      codes: DECLARED,
      failed: (code) => world.ledger.count(`refused ${code}`),
    });
  }

  /** Changes a run, and repeats that now and then, also with something else under the same id. */
  update(host: Host): void {
    const { dice } = this.#desk;
    const run = this.#desk.pickOpen();
    if (run === undefined) return;
    const n = this.#desk.next();
    const input: UpdateInput = { id: `u${n}`, n };
    const attempt = (on: Host): void => this.#attempt(on, run, input);
    attempt(host);
    if (dice.chance(0.5)) this.#desk.again(attempt);
    if (dice.chance(0.2)) this.#desk.again((on) => this.#otherwise(on, run, input));
  }

  #attempt(host: Host, run: string, input: UpdateInput): void {
    const { world } = this.#desk;
    const name = `${run} ${input.id}`;
    const answered = (answer: string): void => {
      const first = this.#answers.get(name) ?? answer;
      this.#answers.set(name, first);
      const same = first === answer;
      world.ledger.check("an update has one answer", same, () => `${name}: ${first}, ${answer}`);
      world.ledger.check("an update is validated", !isRefused(input), () => name);
      const end = this.#ended(run, input.id);
      world.ledger.check(
        "an update is answered with its durable end",
        end !== undefined && answerOf(end) === answer,
        () => `${name}: ${answer} is not ${JSON.stringify(end)}`,
      );
    };
    const asked = host.claw?.update(run, UPDATE, input, { id: input.id });
    this.#desk.asked(host, "update", asked, (value) => answered(JSON.stringify(value)), {
      // What the handler threw is an answer, too.
      isDeclared: (code) =>
        DECLARED.includes(code) || this.#ended(run, input.id)?.error?.code === code,
      failed: (code) => {
        world.ledger.count(`refused ${code}`);
        if (this.#ended(run, input.id)?.error?.code === code) answered(code);
        if (code !== "CLAW-3007") return;
        const trace = world.truth.runs.get(run)?.answers.has(updatePath(input.id)) === true;
        world.ledger.check("a refused update leaves no trace", !trace, () => name);
      },
    });
  }

  // The durable end of an update.
  #ended(run: string, id: string): ChildOutcome | undefined {
    const entries = this.#desk.world.truth.runs.get(run)?.entries ?? [];
    const end = entries.find(
      ({ kind, call }) => kind === ENTRY_KINDS.updateEnded && call === updatePath(id),
    );
    return end === undefined ? undefined : (decodePayload(end.data) as ChildOutcome);
  }

  #otherwise(host: Host, run: string, { id, n }: UpdateInput): void {
    const { world } = this.#desk;
    const before = world.truth.runs.get(run)?.answers.has(updatePath(id)) === true;
    if (!before) return;
    const asked = host.claw?.update(run, UPDATE, { id, n: n + 0.5 }, { id });
    const told = (): void => {
      world.ledger.check("an id means one update", false, () => `${run} ${id} was taken again`);
    };
    this.#desk.asked(host, "update", asked, told, {
      codes: DECLARED,
      failed: (code) => world.ledger.count(`refused ${code}`),
    });
  }
}

function answerOf({ status, output, error }: ChildOutcome): string {
  return status === "completed" ? (output ?? "") : (error?.code ?? "");
}
