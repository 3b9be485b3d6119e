/** Seeded chance: the same seed throws the same numbers, on every machine. */
export class Dice {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  // sfc32 by Chris Doty-Humphrey (PractRand), seeded through splitmix32.
  constructor(seed: number) {
    let state = seed >>> 0;
    const next = (): number => {
      state = (state + 0x9e3779b9) >>> 0;
      let word = state;
      word = Math.imul(word ^ (word >>> 16), 0x21f0aaad);
      word = Math.imul(word ^ (word >>> 15), 0x735a2d97);
      return (word ^ (word >>> 15)) >>> 0;
    };
    this.#a = next();
    this.#b = next();
    this.#c = next();
    this.#d = 1;
    for (let i = 0; i < 12; i++) this.word();
  }

  /** An unsigned 32-bit word. */
  word(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#d) | 0;
    this.#d = (this.#d + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum >>> 0;
  }

  /** A whole number from 0 up to, not including, `bound`. */
  below(bound: number): number {
    return Math.floor((this.word() / 0x1_0000_0000) * bound);
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.word() < probability * 0x1_0000_0000;
  }

  /** One of a list that is not empty. */
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  /** One of several, each with its weight. */
  weighted<T>(table: readonly (readonly [number, T])[]): T {
    let rest = 0;
    for (const [weight] of table) rest += weight;
    rest *= this.word() / 0x1_0000_0000;
    for (const [weight, value] of table) {
      rest -= weight;
      if (rest < 0) return value;
    }
    return (table[table.length - 1] as readonly [number, T])[1];
  }

  /** Dice of their own, so that more throws in one place do not shift all others. */
  fork(): Dice {
    return new Dice(this.word());
  }
}
