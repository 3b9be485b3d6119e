import type { CommitItem, NewRun, Transition } from "@claw/core/ports";
import type { KeyName, Message, RunId } from "@claw/core/protocol";

/** What items of a batch will touch, as far as it is known before: locked first and sorted. */
export class Foreseen {
  /** Runs that are touched. */
  readonly touched = new Set<RunId>();
  /** Those of them that must be this node's: transitions. */
  readonly own = new Set<RunId>();
  /** Those of them that must not be another's: operations. */
  readonly operated = new Set<RunId>();
  /** Keys under which events are published; the planner adds them. */
  readonly published: string[] = [];
  /** Keys under which events are awaited. */
  readonly awaited: string[] = [];
  /** Whether anything is published, be it under no key. */
  publishes = false;
  /** Keys of runs whose queues change. */
  readonly keys: string[] = [];
  /** Runs whose keys, if they have one, may be handed on. */
  readonly keyed: RunId[] = [];

  /** Notes what an item touches. */
  add(item: CommitItem): void {
    switch (item.type) {
      case "transition":
        return this.#transition(item);
      case "start":
        return this.#starts([item.start]);
      case "delivery":
        return this.#message(item.message);
      case "publication":
        this.publishes = true;
        return this.#starts(item.starts);
      case "pause":
      case "release":
        this.keyed.push(item.run);
        return this.#operation(item.run);
      case "take":
        for (const run of item.runs) this.touched.add(run);
        return;
      case "decision":
      case "clear":
        return this.#operation(item.run);
      default:
    }
  }

  #transition(item: Transition): void {
    if (item.start === null) {
      this.touched.add(item.run);
      this.own.add(item.run);
    }
    for (const message of item.messages) this.#message(message);
    for (const { key } of item.waits) this.awaited.push(key);
    this.#starts(item.starts);
    for (const { starts } of item.events) {
      this.publishes = true;
      this.#starts(starts);
    }
    if (item.start !== null) this.#starts([{ row: item.start, due: 0 }]);
    if (item.hold !== null) this.keyed.push(item.run);
    if (item.finish?.start.keyed !== undefined) this.#starts([{ row: item.finish.start, due: 0 }]);
  }

  #operation(run: RunId): void {
    this.touched.add(run);
    this.operated.add(run);
  }

  #message({ to, kind }: Message): void {
    this.touched.add(to);
    // A run that waits for its key leaves the queue.
    if (kind === "cancel") this.keyed.push(to);
  }

  #starts(starts: readonly NewRun[]): void {
    for (const { row } of starts) {
      if (row.keyed === undefined) continue;
      const { namespace, workflow } = row;
      this.keys.push(nameOf({ namespace, workflow, key: row.keyed.key }));
    }
  }
}

// As `claw.key_name` makes it.
function nameOf({ namespace, workflow, key }: KeyName): string {
  return `${namespace}\u001f${workflow}\u001f${key}`;
}
