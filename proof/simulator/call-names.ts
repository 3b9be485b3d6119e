/** Counts the uses of names in one scope of a program, by the documented rule of identity. */
export class CallNames {
  readonly path: string;
  readonly #used = new Map<string, number>();

  constructor(path: string) {
    this.path = path;
  }

  /** The segment of the next use of a name: `name`, `name#1` ..., or `name[key]`. */
  segment(name: string, key?: string): string {
    if (key !== undefined) return `${name}[${key}]`;
    const used = this.#used.get(name) ?? 0;
    this.#used.set(name, used + 1);
    return used === 0 ? name : `${name}#${used}`;
  }

  /** The identity of the next call of a name. */
  call(name: string, key?: string): string {
    return this.path + this.segment(name, key);
  }

  /** How many numbers of this kind were drawn in the scope before. */
  drawn(what: string): number {
    const before = this.#used.get(`/${what}`) ?? 0;
    this.#used.set(`/${what}`, before + 1);
    return before;
  }

  /** The names of a branch or scope. */
  inner(segment: string): CallNames {
    return new CallNames(`${this.path}${segment}/`);
  }
}
