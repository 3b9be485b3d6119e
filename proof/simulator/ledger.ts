/** What a world did and found: counts by name, and the first things that were wrong. */
export class Ledger {
  readonly #counts = new Map<string, number>();
  /** How often each invariant was looked at: apart, so that no name is built for a check. */
  readonly #checks = new Map<string, number>();
  readonly problems: string[] = [];
  readonly trace: string[] = [];
  readonly verbose: boolean;

  constructor(verbose: boolean) {
    this.verbose = verbose;
  }

  /** Counts something, for example "fault crash". */
  count(name: string, by = 1): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + by);
  }

  /** Counts a check and notes a problem when it does not hold. */
  check(invariant: string, holds: boolean, detail: () => string): void {
    this.#checks.set(invariant, (this.#checks.get(invariant) ?? 0) + 1);
    if (holds) return;
    this.note(`BROKEN ${invariant}: ${detail()}`);
    if (this.problems.length < PROBLEMS_MAX) this.problems.push(`${invariant}: ${detail()}`);
  }

  /** All counts by name; checks under "invariant" and the name. */
  get counts(): ReadonlyMap<string, number> {
    const counts = new Map(this.#counts);
    for (const [name, count] of this.#checks) counts.set(`invariant ${name}`, count);
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
