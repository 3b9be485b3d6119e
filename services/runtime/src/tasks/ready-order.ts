/** Something with a place in the order of a queue. */
export interface Ranked {
  /** The lowest is first. */
  readonly rank: number;
  /** Among equals the lowest is first. */
  readonly id: number;
}

/** What waits, the first at hand: a binary heap. */
export class ReadyOrder<T extends Ranked> {
  #heap: T[] = [];

  get size(): number {
    return this.#heap.length;
  }

  get first(): T | undefined {
    return this.#heap[0];
  }

  add(one: T): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(one);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const other = heap[above] as T;
      if (!isBefore(one, other)) break;
      heap[at] = other;
      at = above;
    }
    heap[at] = one;
  }

  removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let below = at * 2 + 1;
      const left = heap[below];
      if (left === undefined) break;
      const right = heap[below + 1];
      if (right !== undefined && isBefore(right, left)) below++;
      const smaller = heap[below] as T;
      if (!isBefore(smaller, last)) break;
      heap[at] = smaller;
      at = below;
    }
    heap[at] = last;
  }

  clear(): void {
    this.#heap = [];
  }
}

function isBefore(a: Ranked, b: Ranked): boolean {
  return a.rank < b.rank || (a.rank === b.rank && a.id < b.id);
}
