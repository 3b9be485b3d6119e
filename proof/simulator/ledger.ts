/** What a world did and found: counts by name, and the first things that were wrong. */
export class Ledger {
  readonly #counts = new Map<string, Tally>();
  readonly #calls = new Map<string, Tally>();
  /** How often each invariant was looked at: apart, so that no name is built for a check. */
  readonly #checks = new Map<string, Tally>();
  readonly problems: string[] = [];
  readonly trace: string[] = [];
  readonly verbose: boolean;

  constructor(verbose: boolean) {
    this.verbose = verbose;
  }

  /** Counts something, for example "fault crash". */
  count(name: string, by = 1): void {
    tallyOf(this.#counts, name).count += by;
  }

  /** Counts a ctx call, known as "ctx" and its name. */
  countCall(op: string): void {
    tallyOf(this.#calls, op).count++;
  }

  /** Counts a check and notes a problem when it does not hold. */
  check(invariant: string, holds: boolean, detail: () => string): void {
    tallyOf(this.#checks, invariant).count++;
    if (holds) return;
    this.note(`BROKEN ${invariant}: ${detail()}`);
    if (this.problems.length < PROBLEMS_MAX) this.problems.push(`${invariant}: ${detail()}`);
  }

  /** All counts by name; checks under "invariant" and the name. */
  get counts(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const [name, { count }] of this.#counts) counts.set(name, count);
    for (const [name, { count }] of this.#calls) counts.set(`ctx ${name}`, count);
    for (const [name, { count }] of this.#checks) counts.set(`invariant ${name}`, count);
    return counts;
  }

  /** Writes a line of the trace. */
  note(line: string): void {
    if (this.verbose) this.trace.push(line);
  }

  /** True once anything was wrong. */
  get broken(): boolean {
    return this.problems.length > 0;
  }
}

const PROBLEMS_MAX = 20;

/** A count that is raised in place: thousands of times a world, each with one look for its name. */
interface Tally {
  count: number;
}

function tallyOf(tallies: Map<string, Tally>, name: string): Tally {
  const known = tallies.get(name);
  if (known !== undefined) return known;
  const tally = { count: 0 };
  tallies.set(name, tally);
  return tally;
}
