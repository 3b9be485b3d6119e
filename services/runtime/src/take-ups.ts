import type { StoredRun } from "@claw/core/ports";
import { draftOf } from "@claw/core/engine";
import {
  decodePayload,
  type Hold,
  type InboxRow,
  Journal,
  type RunId,
  shownEntry,
} from "@claw/core/protocol";
import { Activation } from "./activation.ts";
import { loadToWrite } from "./load-readable.ts";
import type { Node } from "./node.ts";
import { stateOf } from "./transition.ts";

/** Brings runs from the store into memory: after a wake-up, a message, a crash. */
export class TakeUps {
  readonly #node: Node;
  /** Messages for runs that are being loaded. */
  readonly #loading = new Map<RunId, InboxRow[]>();

  /** Places in memory for runs that are being written down as taken up. */
  promised = 0;
  /** Runs being loaded that another node has written to since. */
  readonly #written = new Set<RunId>();

  constructor(node: Node) {
    this.#node = node;
  }

  /** Keeps a message for a run that is being loaded; false if that run is not. */
  receive(row: InboxRow): boolean {
    const late = this.#loading.get(row.to);
    late?.push(row);
    return late !== undefined;
  }

  /** What was read of a run is not what the store holds now. True if it was being loaded. */
  forget(run: RunId): boolean {
    return this.#loading.delete(run);
  }

  /** Drops everything that is being loaded. */
  clear(): void {
    this.#loading.clear();
    this.#written.clear();
  }

  /** Takes up runs; what fails stays due in the store. */
  soon(ids: readonly RunId[]): void {
    this.takeUp(ids).catch((error: unknown) => {
      // The rows are due in the store: the next look finds them.
      this.#node.log("warn", "taking up runs failed", { error: String(error) });
    });
  }

  /** Loads runs and goes on with them; those in memory or being loaded are passed over. */
  async takeUp(ids: readonly RunId[]): Promise<void> {
    // Without definitions this node only takes messages in; the runs wait for one that has them.
    if (this.#node.registry.workflows.length === 0 || this.#node.draining) return;
    const fresh = [...new Set(ids)].filter(
      (id) => !this.#node.active.has(id) && !this.#loading.has(id) && !this.#node.endings.has(id),
    );
    if (fresh.length === 0) return;
    const late: InboxRow[] = [];
    for (const id of fresh) this.#loading.set(id, late);
    const { incarnation } = this.#node.committer;
    let promised = 0;
    let taken: readonly StoredRun[] = [];
    try {
      const stored = await loadToWrite(this.#node, fresh);
      if (!this.#node.available || incarnation !== this.#node.committer.incarnation) return;
      taken = this.#toWriteDown(stored);
      promised = taken.length;
      this.promised += promised;
      if (taken.length > 0) {
        await this.#node.request({ type: "take", runs: taken.map(({ row }) => row.id) });
        if (!this.#node.available || incarnation !== this.#node.committer.incarnation) return;
      }
      for (const one of stored) {
        if (this.#loading.get(one.row.id) !== late) continue; // paused meanwhile
        const news = late.filter((row) => row.to === one.row.id);
        const isTaken = taken.includes(one);
        if (isTaken) {
          this.promised--;
          promised--;
        }
        this.#resume(one, news, isTaken);
      }
      if (this.#node.sharing !== null) this.#settleClaim(stored, late);
    } finally {
      this.promised -= promised;
      // Some were paused meanwhile, and others had to stay in the store for them.
      if (taken.length > 0 && this.#node.room > 0) this.#node.wakes.roomFreed();
      // After a loss of the store others may load the same runs again.
      for (const id of fresh) if (this.#loading.get(id) === late) this.#loading.delete(id);
    }
  }

  // Of several nodes: what this one does not go on with others may have. What came meanwhile may not be all that came.
  #settleClaim(claimed: readonly StoredRun[], late: readonly InboxRow[]): void {
    const { active, sharing } = this.#node;
    this.#giveUp(
      claimed.map(({ row }) => row.id),
      late,
    );
    for (const id of new Set(late.map(({ to }) => to))) this.#written.add(id);
    for (const id of this.#written) if (active.has(id)) void sharing?.inboxes.read(id);
    this.#written.clear();
  }

  /** Runs that are not in memory any more, and are not to come back: another node may hold them. */
  giveUp(ids: readonly RunId[]): void {
    this.#giveUp(ids, undefined);
  }

  // What is being loaded again was claimed before this is carried out: whoever loads it gives it up, or goes on with it.
  #giveUp(ids: readonly RunId[], loader: readonly InboxRow[] | undefined): void {
    const { sharing, active, endings, available } = this.#node;
    if (sharing === null || !available) return;
    const left = ids.filter((id) => {
      const loading = this.#loading.get(id);
      return !active.has(id) && !endings.has(id) && (loading === undefined || loading === loader);
    });
    if (left.length === 0) return;
    (async () => sharing.store.giveUp(left))().catch((error: unknown) => {
      sharing.failed("giving up runs failed", error);
    });
  }

  /** True for a run that is being loaded. */
  isLoading(run: RunId): boolean {
    return this.#loading.has(run);
  }

  /** Another node has written to a run that is being loaded. */
  wrote(run: RunId): void {
    this.#written.add(run);
  }

  // What is taken up after a crash is written down first, so that it is known who was in memory at the next
  // one. It has a place in memory then, whoever comes meanwhile.
  #toWriteDown(stored: readonly StoredRun[]): StoredRun[] {
    // A claim has written it down.
    if (this.#node.sharing !== null) return [];
    const isCareful = this.#node.clock.now() < this.#node.carefulUntil;
    return stored
      .filter(({ row }) => {
        if (!isCareful && row.recoveries === 0) return false;
        if (row.held !== "" || this.#node.endings.has(row.id) || !this.#node.trials.mayTakeUp(row))
          return false;
        return this.#node.registry.find(row.workflow, row.version) !== undefined;
      })
      .slice(0, this.#node.room);
  }

  // What was written down as taken is this node's by now: nobody else would find it.
  #resume(found: StoredRun, late: readonly InboxRow[], isTaken: boolean): void {
    const { row, unreadable } = found;
    if (this.#node.active.has(row.id) || this.#node.endings.has(row.id)) return;
    const stored =
      unreadable === undefined
        ? found
        : { ...found, journal: Journal.of([...found.journal].map(shownEntry)) };
    // A suspect waits in the store for its trial.
    if (row.held === "" && !this.#node.trials.mayTakeUp(row)) return;
    const cancel = [...stored.inbox, ...late].find((message) => message.kind === "cancel");
    const workflow = this.#node.registry.find(row.workflow, row.version);
    // The end of the run that has its key wakes it.
    if (row.held === "queued") return;
    if (row.keyed?.place === "ended") {
      // It was told to stop before it had its key.
      if (cancel !== undefined) this.#node.endings.endHeld(stored, cancel, late);
      return;
    }
    if (row.held !== "" || workflow === undefined) {
      // A paused run looks at its messages when it is resumed.
      if (cancel !== undefined && row.held !== "paused") {
        this.#node.endings.endHeld(stored, cancel, late);
      } else if (row.held === "" && this.#node.sharing?.isHomeless(row.id) !== false) {
        this.#holdWithoutCode(stored);
      }
      return;
    }
    if (unreadable !== undefined) return this.#holdStored(stored, "unreadable", unreadable);
    if (!isTaken && this.#node.room === 0) {
      this.#node.wakes.noRoom();
      return;
    }
    const activation = new Activation(
      this.#node,
      stateOf(stored),
      workflow,
      decodePayload(row.input),
    );
    activation.recoveries = row.recoveries;
    activation.rests =
      this.#node.sharing === null &&
      !isTaken &&
      (row.due === null || row.due > this.#node.clock.now());
    if (this.#node.sharing === null) for (const message of late) activation.receive(message);
    this.#node.active.set(row.id, activation);
    this.#node.loop.wake(activation);
  }

  #holdWithoutCode(stored: StoredRun): void {
    const { workflow, version } = stored.row;
    this.#holdStored(stored, "no_code", `workflow ${workflow}@${version} is not defined here`);
  }

  #holdStored(stored: StoredRun, kind: Hold, reason: string): void {
    const state = stateOf(stored);
    draftOf(state).hold = { kind, reason };
    this.#node.log("warn", `run held: ${kind}`, { run: stored.row.id, reason });
    const activation = new Activation(this.#node, state, NO_CODE, undefined);
    this.#node.active.set(stored.row.id, activation);
    this.#node.committer.touch(activation);
    this.#node.loop.schedule();
  }
}

// Never run: it stands in for the code that is missing while the hold is written.
const NO_CODE = {
  kind: "workflow",
  name: "no_code",
  version: 1,
  options: {},
  triggers: [],
  body: () => undefined,
} as const;
