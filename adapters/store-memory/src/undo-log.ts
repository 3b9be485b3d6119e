/** Remembers how to take back what was written, newest first. */
export class UndoLog {
  readonly #steps: (() => void)[] = [];

  /** Where the log stands now. */
  get mark(): number {
    return this.#steps.length;
  }

  record(takeBack: () => void): void {
    this.#steps.push(takeBack);
  }

  /** Takes back everything since `mark`. */
  rollBack(mark: number): void {
    while (this.#steps.length > mark) this.#steps.pop()?.();
  }

  /** Forgets the oldest steps: what they wrote stays. Answers how many there were. */
  settle(count: number): void {
    this.#steps.splice(0, count);
  }
}
