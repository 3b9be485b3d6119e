import type { UndoLog } from "./undo-log.ts";

/** Rows by key; every change can be taken back. Rows are never changed in place, so reading needs no copy. */
export class Table<Row> {
  readonly #rows = new Map<string, Row>();
  readonly #undo: UndoLog;

  constructor(undo: UndoLog) {
    this.#undo = undo;
  }

  get size(): number {
    return this.#rows.size;
  }

  get(key: string): Row | undefined {
    return this.#rows.get(key);
  }

  has(key: string): boolean {
    return this.#rows.has(key);
  }

  set(key: string, row: Row): void {
    const before = this.#rows.get(key);
    this.#rows.set(key, row);
    this.#undo.record(() => {
      if (before === undefined) this.#rows.delete(key);
      else this.#rows.set(key, before);
    });
  }

  delete(key: string): boolean {
    const before = this.#rows.get(key);
    if (before === undefined) return false;
    this.#rows.delete(key);
    this.#undo.record(() => this.#rows.set(key, before));
    return true;
  }

  values(): IterableIterator<Row> {
    return this.#rows.values();
  }

  /** All rows in the order of their keys. */
  entries(): [string, Row][] {
    return [...this.#rows].sort(([a], [b]) => (a < b ? -1 : 1));
  }
}

/** Lists by key that grow at the end: adding a row does not copy those before it. */
export class Lists<Row> {
  readonly #lists: Table<Row[]>;
  readonly #undo: UndoLog;

  constructor(undo: UndoLog) {
    this.#lists = new Table(undo);
    this.#undo = undo;
  }

  /** Rows under a key; the caller must not change them and not keep them. */
  of(key: string): readonly Row[] {
    return this.#lists.get(key) ?? [];
  }

  add(key: string, row: Row): void {
    const list = this.#lists.get(key);
    if (list === undefined) {
      this.#lists.set(key, [row]);
      return;
    }
    list.push(row);
    this.#undo.record(() => list.pop());
  }

  /** Keeps the rows that pass; answers how many went. */
  keep(key: string, passes: (row: Row) => boolean): number {
    const list = this.#lists.get(key);
    if (list === undefined) return 0;
    const kept = list.filter(passes);
    if (kept.length === list.length) return 0;
    if (kept.length === 0) this.#lists.delete(key);
    else this.#lists.set(key, kept);
    return list.length - kept.length;
  }

  delete(key: string): void {
    this.#lists.delete(key);
  }

  /** All lists in the order of their keys. */
  entries(): [string, Row[]][] {
    return this.#lists.entries();
  }
}
