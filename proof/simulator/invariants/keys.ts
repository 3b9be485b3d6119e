import type { Batch, BatchAnswer } from "@claw/core/ports";
import { ENTRY_KINDS, type StartRow } from "@claw/core/protocol";
import type { MemoryDisk } from "@claw/store-memory";
import type { Ledger } from "../ledger.ts";
import type { KnownRun } from "../truth.ts";

/** What the check of keys looks at. */
export interface KeyWorld {
  readonly disk: MemoryDisk;
  readonly ledger: Ledger;
  readonly truth: { readonly runs: ReadonlyMap<string, KnownRun> };
}

/** Runs of one key go one at a time, in their order, and hand its state on: told without the queues of the store. */
export class KeyCheck {
  readonly #world: KeyWorld;
  /** Runs by key, in the order in which they were created. */
  readonly #runs = new Map<string, string[]>();
  /** Runs that have written something, or begun a body. */
  readonly #begun = new Set<string>();
  /** Runs that were seen held: others may have been let past them. */
  readonly #held = new Set<string>();

  constructor(world: KeyWorld) {
    this.#world = world;
  }

  /** A batch was answered: runs are learned in the order in which it created them. */
  answered(batch: Batch, answer: BatchAnswer): void {
    for (const [at, item] of batch.items.entries()) {
      if (answer.items[at]?.status !== "applied") continue;
      if (item.type === "start") this.#learn(item.start.row);
      if (item.type === "publication") for (const { row } of item.starts) this.#learn(row);
      if (item.type === "pause") this.#held.add(item.run);
      if (item.type !== "transition") continue;
      for (const { row } of item.starts) this.#learn(row);
      for (const { starts } of item.events) for (const { row } of starts) this.#learn(row);
      if (item.hold !== null) this.#held.add(item.run);
      if (item.entries !== "") this.#begins(item.run);
    }
    this.#checkBounds(batch);
  }

  /** The store went back in time: runs that are gone had no turn, and some wait again. */
  forget(): void {
    const { runs } = this.#world.truth;
    for (const [name, ids] of this.#runs) {
      this.#runs.set(
        name,
        ids.filter((id) => runs.has(id)),
      );
    }
    for (const id of this.#begun)
      if ((runs.get(id)?.entries.length ?? 0) === 0) this.#begun.delete(id);
  }

  /** A body of a run begins. */
  bodyBegins(run: string): void {
    const { runs } = this.#world.truth;
    const start = runs.get(run)?.start;
    if (start?.keyed === undefined) return;
    const others = this.#runs.get(nameOf(start)) ?? [];
    const beside = others.find(
      (other) =>
        other !== run &&
        this.#begun.has(other) &&
        runs.get(other)?.ending === null &&
        this.#world.disk.runs.get(other)?.held === "",
    );
    this.#world.ledger.check(
      "two runs of a key never go at once",
      beside === undefined,
      () => `${run} beside ${beside}`,
    );
    this.#begins(run);
  }

  /** A node opens, and all that is durable is known: queues and states are what they must be. */
  audit(): void {
    const { disk, ledger, truth } = this.#world;
    const rows = [...disk.runs.values()].sort(
      (a, b) => (disk.keyedRuns.get(a.id)?.seq ?? 0) - (disk.keyedRuns.get(b.id)?.seq ?? 0),
    );
    for (const { id, held } of rows) {
      const start = truth.runs.get(id)?.start;
      if (start !== undefined) this.#learn(start);
      if (held !== "" && held !== "queued") this.#held.add(id);
      if (held !== "queued" || start === undefined) continue;
      const ahead = rows.some(
        (row) => row.id !== id && row.held !== "queued" && this.#isSame(row, start),
      );
      ledger.check("who waits for a key is behind a run that has it", ahead, () => id);
    }
    for (const [name, state] of this.#countSets()) {
      const stored = Number(disk.keyStates.get(name) ?? 0);
      ledger.check(
        "the state of a key counts the runs that have set it",
        stored === state,
        () => `${name} is ${stored}, ${state} runs have set it`,
      );
    }
  }

  // The key of an open run is that of `start`, which is not the row of the disk.
  #isSame(row: StartRow, start: StartRow): boolean {
    const known = this.#world.truth.runs.get(row.id)?.start;
    return known?.keyed !== undefined && nameOf(known) === nameOf(start);
  }

  #countSets(): Map<string, number> {
    const sets = new Map<string, number>();
    for (const { start, entries } of this.#world.truth.runs.values()) {
      if (start.keyed === undefined) continue;
      const name = nameOf(start);
      const set = entries.some(({ kind }) => kind === ENTRY_KINDS.stateSet) ? 1 : 0;
      sets.set(name, (sets.get(name) ?? 0) + set);
    }
    return sets;
  }

  #learn(row: StartRow): void {
    if (row.keyed === undefined || !this.#world.truth.runs.has(row.id)) return;
    const name = nameOf(row);
    const runs = this.#runs.get(name) ?? [];
    this.#runs.set(name, runs);
    if (!runs.includes(row.id)) runs.push(row.id);
  }

  // All that were created before have ended by now, or were held and let others past.
  #begins(run: string): void {
    const { truth, ledger } = this.#world;
    const start = truth.runs.get(run)?.start;
    if (start?.keyed === undefined || this.#begun.has(run)) return;
    this.#begun.add(run);
    const all = this.#runs.get(nameOf(start)) ?? [];
    const before = all.slice(0, Math.max(0, all.indexOf(run)));
    const isSkipped = start.keyed.onHeldHead === "skip";
    const open = before.find(
      (other) => truth.runs.get(other)?.ending === null && !(isSkipped && this.#held.has(other)),
    );
    ledger.check(
      "runs of a key begin in their order",
      open === undefined,
      () => `${run} before ${open}`,
    );
  }

  // Who was let others past and waits again has its place in any case.
  #checkBounds(batch: Batch): void {
    const { disk, ledger } = this.#world;
    for (const item of batch.items) {
      if (item.type !== "start" || item.start.row.keyed === undefined) continue;
      const { row } = item.start;
      const waiting = (this.#runs.get(nameOf(row)) ?? []).filter(
        (id) => disk.runs.get(id)?.held === "queued" && !this.#held.has(id),
      );
      const max = item.start.row.keyed.waitingMax;
      ledger.check("a mailbox is never over its bound", waiting.length <= max, () => nameOf(row));
    }
  }
}

function nameOf({ namespace, workflow, keyed }: StartRow): string {
  return [namespace, workflow, keyed?.key].join("\u001f");
}
