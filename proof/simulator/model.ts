import { type Entry, ENTRY_KINDS, fingerprint, hash128 } from "@claw/core/protocol";
import { CallNames } from "./call-names.ts";
import { keyOf, segmentName } from "./interpret.ts";
import { KEYED_CALLS, type KeyedStatement } from "./statements/keyed.ts";
import { rootPath } from "./statements/continue-as.ts";
import { type Block, isStep, type Program, type Statement } from "./statement.ts";
import { type ExpectedCompensation, foreseeUndo } from "./undo-model.ts";

/** A call as the model expects it. */
export interface ExpectedCall {
  readonly statement: Statement;
  /** Sequence of the entry in whose turn it was asked for; 0 for the first turn. */
  readonly askedAt: number;
  readonly answer: Entry | undefined;
  /** Sequence of the entry in whose turn the call is closed without its answer, if it has none by then. */
  readonly closedAt: number;
  /** True when its answer reached the code, which closes calls now and then before that. */
  readonly delivered: boolean;
}

/** What a program must have come to, given the facts of a journal. */
export interface Prediction {
  /** The code is still waiting: nothing more can be said. */
  readonly waiting: boolean;
  readonly output: unknown;
  /** Code of the error that ended it, or null. */
  readonly error: string | null;
  /** What it has to undo, or null. */
  readonly compensation: ExpectedCompensation | null;
  readonly calls: ReadonlyMap<string, ExpectedCall>;
  /** What its handler answers to each update that was taken, null while that is not known; null for no handler. */
  readonly updates: ReadonlyMap<string, unknown> | null;
  /** Sequence of the entry in whose turn it goes on as its next generation; Infinity if it does not. */
  readonly goesOnAt: number;
  /** Two things happened in one turn, whose order the model does not know. */
  readonly unsure: boolean;
  /** The journal was written in another order than this code asks: its turns are not foreseen. */
  readonly disordered: boolean;
}

/** The facts that a prediction stands on. */
export interface Facts {
  readonly run: string;
  readonly namespace: string;
  readonly startedAt: number;
  /** Of all generations up to this one. */
  readonly entries: readonly Entry[];
  /** The generation that is foreseen, from 1. */
  readonly generation: number;
  /** Number of its first entry; 0 for the first generation. */
  readonly begins: number;
}

interface Outcome {
  readonly ok: boolean;
  readonly value: unknown;
  /** Sequence of the entry in whose turn it settled; Infinity while it waits. */
  readonly end: number;
}

interface Place {
  readonly names: CallNames;
  readonly key: string | undefined;
  /** Rounds of the loops around. */
  readonly round: string;
  readonly shielded: boolean;
  /** Sequence of the entry in whose turn the scope is closed. */
  readonly closedAt: number;
  /** Calls in here are noted. */
  readonly noted: boolean;
}

type Parallel = Extract<Statement, { op: "all" | "race" }>;

const CLOSED = "CLAW-2010";
const CANCELLED = "CLAW-2003";
const NEVER = Number.POSITIVE_INFINITY;
const waits: Outcome = { ok: true, value: undefined, end: NEVER };

/** Predicts, without the engine, what a program makes of the facts in a journal. */
export function predict(
  program: Program,
  programs: readonly { readonly name: string; readonly version: number }[],
  facts: Facts,
): Prediction {
  const model = new Model(programs, facts);
  const outcome = model.block(program.body, facts.begins, {
    names: new CallNames(rootPath(facts.generation)),
    key: undefined,
    round: "",
    shielded: false,
    closedAt: NEVER,
    noted: true,
  });
  const fails = !outcome.ok && outcome.end !== NEVER;
  const updates = program.handler === null ? null : model.updates(program.handler, outcome);
  const compensation = fails ? foreseeUndo(facts, model.calls, outcome.end) : null;
  return {
    waiting: outcome.end === NEVER || compensation?.waiting === true,
    output: outcome.ok ? outcome.value : undefined,
    error: outcome.ok ? null : String(outcome.value),
    compensation,
    calls: model.calls,
    updates,
    goesOnAt: model.goesOnAt,
    unsure: model.unsure,
    disordered: model.disordered,
  };
}

class Model {
  readonly calls = new Map<string, ExpectedCall>();
  unsure = false;
  disordered = false;
  goesOnAt = NEVER;
  readonly #programs: readonly { readonly name: string; readonly version: number }[];
  readonly #facts: Facts;
  readonly #answers = new Map<string, Entry>();
  #cancelledAt = NEVER;

  constructor(
    programs: readonly { readonly name: string; readonly version: number }[],
    facts: Facts,
  ) {
    this.#programs = programs;
    this.#facts = facts;
    for (const entry of facts.entries.slice(facts.begins)) {
      if (entry.kind === ENTRY_KINDS.cancelRequested)
        this.#cancelledAt = Math.min(this.#cancelledAt, entry.seq);
      else if (
        entry.kind !== ENTRY_KINDS.attemptFailed &&
        entry.kind !== ENTRY_KINDS.childStarted &&
        entry.kind !== ENTRY_KINDS.childUnused &&
        entry.kind !== ENTRY_KINDS.startRequested &&
        entry.kind !== ENTRY_KINDS.undoPlanned &&
        entry.kind !== ENTRY_KINDS.decisionUnused
      ) {
        this.#answers.set(entry.call, entry);
      }
    }
  }

  /** The ends of the updates in the journal, of a program that ended as `main` does. */
  updates(handler: Block, main: Outcome): Map<string, unknown> {
    const ends = new Map<string, unknown>();
    // Code that was changed may end before the turn of an update that other code has taken.
    const closedAt = Math.min(main.end, this.goesOnAt);
    const { entries, begins, generation } = this.#facts;
    for (const { kind, call, seq, data } of entries.slice(begins)) {
      if (kind !== ENTRY_KINDS.updateTaken) continue;
      const { ok, value, end } = this.block(handler, seq, {
        names: new CallNames(`${rootPath(generation)}${call}/`),
        key: undefined,
        round: "",
        shielded: false,
        closedAt,
        noted: true,
      });
      const { n } = JSON.parse(data) as { n: number };
      const told = ok ? { output: JSON.stringify([n, value]) } : { code: String(value) };
      // In the turn in which the code ends its handlers end in an order that depends on their promises.
      ends.set(call, end === NEVER || end >= closedAt ? null : told);
    }
    return ends;
  }

  block(block: Block, start: number, place: Place): Outcome {
    const values: unknown[] = [];
    let now = start;
    for (const statement of block) {
      const outcome = this.#statement(statement, now, place);
      now = outcome.end;
      if (!outcome.ok || now === NEVER) return outcome;
      values.push(outcome.value);
    }
    return { ok: true, value: values, end: now };
  }

  #statement(statement: Statement, start: number, place: Place): Outcome {
    switch (statement.op) {
      case "all":
        return this.#all(statement, start, place);
      case "race":
        return this.#race(statement, start, place);
      case "map":
        return this.#map(statement, start, place);
      case "scope": {
        const names = place.names.inner(place.names.segment(statement.name));
        const shielded = place.shielded || statement.shield;
        return this.block(statement.body, start, {
          ...place,
          names,
          shielded,
          key: undefined,
          round: "",
        });
      }
      case "bare":
        return this.#bare(statement.calls, start, place);
      case "loop":
        return this.#loop(statement, start, place);
      case "try": {
        const body = this.block(statement.body, start, place);
        if (body.ok) return body;
        const handler = this.block(statement.handler, body.end, place);
        if (!handler.ok || handler.end === NEVER) return handler;
        return { ok: true, value: [{ caught: body.value }, handler.value], end: handler.end };
      }
      case "continueAs": {
        if (this.#facts.generation >= statement.generations)
          return { ok: true, value: "last", end: start };
        if (start >= this.#cancelledAt) return { ok: false, value: CANCELLED, end: start };
        this.goesOnAt = Math.min(this.goesOnAt, start);
        return waits;
      }
      case "foreign":
        this.unsure = true;
        return { ok: true, value: undefined, end: start };
      case "look":
      case "tally":
        return this.#keyed(statement, start, place);
      case "fail":
        return { ok: false, value: "CLAW-2009", end: start };
      case "now":
      case "random":
      case "uuid":
        return { ok: true, value: this.#plain(statement.op, start, place), end: start };
      default:
        return this.#call(statement, start, place);
    }
  }

  // Answered in the turn that asks for it.
  #keyed(statement: KeyedStatement, start: number, { names, closedAt, noted }: Place): Outcome {
    const end = Math.min(closedAt, this.#cancelledAt);
    for (const name of KEYED_CALLS[statement.op]) {
      const call = names.call(name);
      const answer = this.#answers.get(call);
      const expected = { statement, askedAt: start, answer, closedAt: end, delivered: true };
      if (noted) this.calls.set(call, expected);
    }
    if (statement.op === "look") return { ok: true, value: "seen", end: start };
    if (start < end) return { ok: true, value: "counted", end: start };
    return { ok: false, value: closedAt <= start ? CLOSED : CANCELLED, end: start };
  }

  #call(statement: Statement, start: number, place: Place): Outcome {
    const name = segmentName(statement, (at) => this.#programs[at] as { name: string });
    const call = place.names.call(name, keyOf(statement, place.key));
    const shielded = place.shielded || (isStep(statement) && statement.shield);
    const end = shielded ? place.closedAt : Math.min(place.closedAt, this.#cancelledAt);
    const broken = (at: number): Outcome => ({
      ok: false,
      value: place.closedAt <= at ? CLOSED : CANCELLED,
      end: at,
    });
    if (start >= end) return broken(start);
    const answer = this.#answers.get(call);
    const at = Math.max(start, answer?.seq ?? NEVER);
    if (answer !== undefined && answer.seq < start) this.disordered = true;
    const delivered = answer !== undefined && at <= end;
    if (place.noted) {
      this.calls.set(call, { statement, askedAt: start, answer, closedAt: end, delivered });
    }
    if (at > end) return broken(end);
    if (answer === undefined) return waits;
    return answer.kind === ENTRY_KINDS.callSkipped
      ? skipped(statement, answer, at)
      : this.#answered(answer, at);
  }

  #answered({ kind, data }: Entry, end: number): Outcome {
    const value = data === "" ? undefined : (JSON.parse(data) as unknown);
    const ok = (given: unknown): Outcome => ({ ok: true, value: given, end });
    switch (kind) {
      case ENTRY_KINDS.stepFailed:
      case ENTRY_KINDS.startRefused:
        return { ok: false, value: (value as { code?: string }).code ?? "CLAW-2001", end };
      case ENTRY_KINDS.timerFired:
        return ok("slept");
      case ENTRY_KINDS.waitTimedOut:
        return ok("no answer: timeout");
      case ENTRY_KINDS.streamWritten:
        return ok("written");
      case ENTRY_KINDS.attributesSet:
        return ok("set");
      case ENTRY_KINDS.eventEmitted:
        return ok("emitted");
      case ENTRY_KINDS.eventReceived:
        return ok((value as { event: { data: unknown } }).event.data);
      case ENTRY_KINDS.childEnded: {
        const { status, output, error } = value as {
          status: string;
          output?: string;
          error?: { code?: string };
        };
        if (status === "completed") return ok(fingerprint(output ?? ""));
        const code = error?.code === CANCELLED ? "CLAW-2008" : error?.code;
        return { ok: false, value: code ?? "CLAW-2008", end };
      }
      default:
        return ok(value);
    }
  }

  #branches(
    blocks: readonly Block[],
    paths: readonly CallNames[],
    start: number,
    place: Place,
    closedAt: number,
    noted: boolean,
  ): Outcome[] {
    const closed = Math.min(place.closedAt, closedAt);
    return blocks.map((block, at) =>
      this.block(block, start, {
        names: new CallNames((paths[at] as CallNames).path),
        key: undefined,
        round: "",
        shielded: place.shielded,
        closedAt: closed,
        noted: place.noted && noted,
      }),
    );
  }

  #all(statement: Parallel, start: number, place: Place): Outcome {
    const segment = place.names.segment(statement.name);
    const paths = statement.branches.map((_, at) => place.names.inner(`${segment}[${at}]`));
    const freely = this.#branches(statement.branches, paths, start, place, NEVER, false);
    const failure = this.#earliest(freely.filter((one) => !one.ok));
    const closedAt = failure?.end ?? NEVER;
    const all = this.#branches(statement.branches, paths, start, place, closedAt, true);
    const end = Math.max(start, ...all.map((one) => one.end));
    if (failure !== undefined) return { ...failure, end };
    return { ok: true, value: all.map((one) => one.value), end };
  }

  #race(statement: Parallel, start: number, place: Place): Outcome {
    const segment = place.names.segment(statement.name);
    const paths = statement.branches.map((_, at) => place.names.inner(`${segment}[${at}]`));
    const freely = this.#branches(statement.branches, paths, start, place, NEVER, false);
    const first = this.#earliest(freely) ?? waits;
    this.#branches(statement.branches, paths, start, place, first.end, true);
    return first;
  }

  // Two that settle in one turn settle in an order that depends on their promises.
  #earliest(outcomes: readonly Outcome[]): Outcome | undefined {
    let first: Outcome | undefined;
    for (const one of outcomes) {
      if (first === undefined || one.end < first.end) first = one;
      else if (one.end === first.end && one.end !== NEVER) this.unsure = true;
    }
    return first;
  }

  // Workers take the next item when they have ended one, the earliest first.
  #map(statement: Statement & { op: "map" }, start: number, place: Place): Outcome {
    const segment = place.names.segment(statement.name);
    const path = (at: number): CallNames =>
      place.names.inner(`${segment}[${statement.keyed ? `k${at}` : at}]`);
    const perform = (closedAt: number, noted: boolean): Outcome[] => {
      const workers = new Array<number>(Math.min(statement.concurrency, statement.items)).fill(
        start,
      );
      const outcomes: Outcome[] = [];
      for (let at = 0; at < statement.items; at++) {
        const free = Math.min(...workers);
        if (free === NEVER || free >= closedAt) break;
        const [one] = this.#branches([statement.body], [path(at)], free, place, closedAt, noted);
        outcomes.push(one as Outcome);
        workers[workers.indexOf(free)] = (one as Outcome).ok ? (one as Outcome).end : NEVER;
      }
      return outcomes;
    };
    const failure = this.#earliest(perform(NEVER, false).filter((one) => !one.ok));
    const all = perform(failure?.end ?? NEVER, true);
    const end = Math.max(start, ...all.map((one) => one.end));
    if (failure !== undefined) return { ...failure, end };
    if (all.length < statement.items) return waits;
    return { ok: true, value: all.map((one) => one.value), end };
  }

  #bare(calls: readonly Statement[], start: number, place: Place): Outcome {
    const all = calls.map((one) => this.#call(one, start, place));
    const end = Math.max(...all.map((one) => one.end));
    return { ok: true, value: all.map(({ ok, value }) => (ok ? value : { caught: value })), end };
  }

  #loop(statement: Statement & { op: "loop" }, start: number, place: Place): Outcome {
    const values: unknown[] = [];
    let now = start;
    for (let i = 0; i < statement.times; i++) {
      const round = `${place.round}${i}.`;
      const key = statement.keyed ? `${statement.id}-${round}` : undefined;
      const one = this.block(statement.body, now, { ...place, key, round });
      now = one.end;
      if (!one.ok || now === NEVER) return one;
      values.push(one.value);
    }
    return { ok: true, value: values, end: now };
  }

  #plain(op: "now" | "random" | "uuid", at: number, { names }: Place): unknown {
    const { startedAt, entries } = this.#facts;
    // The note of a fork stands in the journal of its first generation.
    const { run: id, generation } = this.#facts;
    const run = generation === 1 ? originOf(id, entries) : id;
    if (op === "now") return at === 0 ? startedAt : entries[at - 1]?.at;
    const drawn = names.drawn(op);
    const words = hash128(`${run}|${names.path}|${op}|${drawn}`);
    if (op === "random") return (words[0] * 0x200000 + (words[1] >>> 11)) / 0x20000000000000;
    const hex = words.map((word) => word.toString(16).padStart(8, "0")).join("");
    const variant = "89ab"[words[2] & 3];
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  }
}

// What an operator said in place of the call.
function skipped(statement: Statement, { data }: Entry, end: number): Outcome {
  if (statement.op === "sleep" || statement.op === "until")
    return { ok: true, value: "slept", end };
  return { ok: true, value: (JSON.parse(data) as { value?: unknown }).value, end };
}

/** The run that a run was forked from in the end, whose numbers it draws; itself if it is no fork. */
export function originOf(run: string, entries: readonly Entry[]): string {
  const [first] = entries;
  if (first?.kind !== ENTRY_KINDS.forked) return run;
  return (JSON.parse(first.data) as { seed: string }).seed;
}
