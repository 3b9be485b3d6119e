import type { Errand, ErrandReply, NodeRecord, NodeReport } from "@claw/core/ports";
import type { RunId } from "@claw/core/protocol";
import type { Table } from "./table.ts";

/** One life of a node that shares the disk with others. */
export interface NodeLife {
  readonly incarnation: number;
  /** By the clock of the store, milliseconds since 1970. */
  readonly since: number;
  leaseUntil: number;
  /** False: what it sends is refused. */
  isLive: boolean;
  report: NodeReport | null;
  /** Runs that it holds or watches and that others have written to. */
  readonly mail: Set<RunId>;
  errands: Errand[];
  replies: ErrandReply[];
  readonly watched: Set<RunId>;
  /** Tells its process that there may be something for it. */
  hint: () => void;
}

/** The nodes that share a disk, and what they leave for each other. It is lost with nobody: each life has its own. */
export class NodeLives {
  readonly #owners: Table<number>;
  readonly #lives = new Map<number, NodeLife>();
  /** Whose batch is being written: it is told of nothing that it does itself. */
  writer = 0;

  constructor(owners: Table<number>) {
    this.#owners = owners;
  }

  /** True once the disk was opened for several nodes. */
  get areThere(): boolean {
    return this.#lives.size > 0;
  }

  begin(incarnation: number, now: number, leaseMs: number, hint: () => void): NodeLife {
    const life: NodeLife = {
      incarnation,
      since: now,
      leaseUntil: now + leaseMs,
      isLive: true,
      report: null,
      mail: new Set(),
      errands: [],
      replies: [],
      watched: new Set(),
      hint,
    };
    this.#lives.set(incarnation, life);
    return life;
  }

  /** The life with this number while it is live. */
  live(incarnation: number): NodeLife | undefined {
    const life = this.#lives.get(incarnation);
    return life?.isLive === true ? life : undefined;
  }

  /** Lives that are not ended, oldest first. */
  get all(): NodeLife[] {
    return [...this.#lives.values()].filter(({ isLive }) => isLive);
  }

  /** Runs that an incarnation holds. */
  runsOf(incarnation: number): RunId[] {
    return this.#owners
      .entries()
      .filter(([, owner]) => owner === incarnation)
      .map(([run]) => run);
  }

  /** A run got a message, changed or ended: whoever holds or watches it gets a note. */
  wrote(run: RunId): void {
    if (this.#lives.size === 0) return;
    const owner = this.#owners.get(run);
    for (const life of this.all) {
      if (life.incarnation === this.writer) continue;
      if (life.incarnation !== owner && !life.watched.has(run)) continue;
      life.mail.add(run);
      life.hint();
    }
  }

  /** There may be runs to claim. */
  hintAll(): void {
    for (const life of this.all) if (life.incarnation !== this.writer) life.hint();
  }

  records(now: number): NodeRecord[] {
    return this.all.map(({ incarnation, since, leaseUntil, report }) => ({
      ...(report ?? NO_REPORT),
      incarnation,
      since,
      leaseLeftMs: leaseUntil - now,
    }));
  }
}

const NO_REPORT: NodeReport = {
  name: "",
  release: "",
  address: "",
  takes: false,
  active: 0,
  activeMax: 0,
  bodies: 0,
  hosted: [],
};
