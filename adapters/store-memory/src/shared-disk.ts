import type {
  Hosted,
  ItemAnswer,
  NodeReport,
  Post,
  SharedStore,
  StoredRun,
} from "@claw/core/ports";
import { ClawError, type InboxRow, type RunId, type RunRow } from "@claw/core/protocol";
import type { MemoryDisk } from "./memory-disk.ts";
import type { NodeLife } from "./node-lives.ts";
import { isOf, loadRuns } from "./read-runs.ts";

/** Time and threads of a process that shares its disk with others. */
export interface SharedMemory {
  /** Longest time without a renewal after which others may take over. */
  readonly leaseMs: number;
  /** Time of the store, milliseconds since 1970. */
  now(): number;
  /** Milliseconds on a clock of this process that only goes forward. */
  monotonic(): number;
  /** What to add to this process's time to have the store's, milliseconds. */
  skewMs(): number;
  /** Calls back on the thread that renews the lease; gives a function that cancels. */
  after(delayMs: number, fire: () => void): () => void;
  /** False while the main loop stands still: then the lease is not renewed. */
  moves(): boolean;
  /** Carries a hint to the main loop: at once, late, twice or never. */
  hint(deliver: () => void): void;
}

/** The time of this machine, for several nodes in one process. */
export function sharedInProcess(leaseMs: number): SharedMemory {
  return {
    leaseMs,
    now: () => Date.now(),
    monotonic: () => performance.now(),
    skewMs: () => 0,
    after: (delayMs, fire) => {
      const timer = setTimeout(fire, delayMs).unref();
      return () => clearTimeout(timer);
    },
    moves: () => true,
    hint: (deliver) => void setImmediate(deliver),
  };
}

/** One handle on a disk that several nodes share: its life, its lease, and what it leaves for others. */
export class SharedHandle {
  readonly #disk: MemoryDisk;
  readonly #way: SharedMemory;
  #life: NodeLife | null = null;
  #report: NodeReport | null = null;
  #listener: (() => void) | null = null;
  #deadline = 0;
  #cancel: (() => void) | null = null;

  constructor(disk: MemoryDisk, way: SharedMemory) {
    this.#disk = disk;
    this.#way = way;
  }

  get incarnation(): number {
    return this.#life?.incarnation ?? 0;
  }

  /** False for a run that another holds, or that this node has no code for. */
  isOwed(row: RunRow): boolean {
    return !this.#disk.owners.has(row.id) && isHosted(row, this.#report?.hosted ?? []);
  }

  /** Begins a life; the one before of this handle ends, and what it held is due. */
  open(): void {
    const disk = this.#disk;
    this.close();
    disk.incarnation++;
    // A copy of a disk, or one that a single process had, knows nothing of those who held runs.
    for (const { id, due } of disk.runs.values()) {
      if (due === 0 && disk.nodes.live(disk.owners.get(id) ?? 0) === undefined) disk.letGo(id, 1);
    }
    const hint = (): void => this.#way.hint(() => this.#listener?.());
    const sentAt = this.#way.monotonic();
    const life = disk.nodes.begin(disk.incarnation, this.#way.now(), this.#way.leaseMs, hint);
    life.report = this.#report;
    this.#life = life;
    this.#deadline = sentAt + this.#way.leaseMs;
    this.#renewLater(life);
    disk.settleCommit(true);
  }

  /** Ends the life and gives everything back. */
  close(): void {
    this.#cancel?.();
    const life = this.#life;
    this.#life = null;
    if (life === null || !life.isLive) return;
    life.isLive = false;
    for (const run of this.#disk.nodes.runsOf(life.incarnation)) this.#disk.letGo(run, 0);
    this.#disk.letGoTasks(life.incarnation);
    this.#disk.settleCommit(true);
    this.#disk.nodes.hintAll();
  }

  // As a thread of its own does it; a lease that is over may be renewed as long as nobody has ended the life.
  #renewLater(life: NodeLife): void {
    this.#cancel = this.#way.after(Math.max(1, this.#way.leaseMs / 3), () => {
      if (this.#life !== life || !life.isLive) return;
      if (this.#way.moves()) {
        this.#deadline = this.#way.monotonic() + this.#way.leaseMs;
        life.leaseUntil = this.#way.now() + this.#way.leaseMs;
        life.report = this.#report;
      }
      this.#renewLater(life);
    });
  }

  /** A commit was refused because the life was ended: from now on it is known here as well. */
  fenced(): void {
    this.#deadline = Number.NEGATIVE_INFINITY;
  }

  /** The life that writes. Errors: CLAW-4007 when it was ended. */
  #mine(): NodeLife {
    const life = this.#life;
    if (life?.isLive === true) return life;
    throw new ClawError("CLAW-4007", `Incarnation ${life?.incarnation ?? 0} was ended`);
  }

  /** The port; `use` carries out what asks the disk. */
  port(use: <T>(verb: () => T) => T | Promise<T>): SharedStore {
    const disk = this.#disk;
    return {
      claim: (ids, namespace) => use(() => this.#claim(ids, namespace)),
      giveUp: (ids) => use(() => this.#giveUp(ids)),
      inbox: (ids) => use(() => ids.flatMap((id) => inboxOf(disk, id))),
      unhosted: (dueBefore, limit, namespace) =>
        use(() => unhosted(disk, dueBefore, limit, namespace)),
      holder: (run) => use(() => disk.owners.get(run) ?? null),
      collect: () => use(() => collect(this.#mine())),
      onHint: (listener) => {
        this.#listener = listener;
      },
      watch: (runs, wanted) =>
        use(() => {
          const { watched } = this.#mine();
          for (const run of runs) {
            if (wanted) watched.add(run);
            else watched.delete(run);
          }
        }),
      send: (errand) => use(() => this.#send(errand)),
      reply: (to, reply) =>
        use(() => {
          this.#mine();
          const life = disk.nodes.live(to);
          life?.replies.push({ ...reply });
          life?.hint();
        }),
      report: (report) => {
        this.#report = report;
      },
      nodes: () => use(() => disk.nodes.records(this.#way.now())),
      takeOver: () => use(() => this.#takeOver()),
      // It does not know when others have ended its life: that is what the deadline is for.
      leaseLeftMs: () => (this.#life === null ? 0 : this.#deadline - this.#way.monotonic()),
      skewMs: () => this.#way.skewMs(),
    };
  }

  #claim(ids: readonly RunId[], namespace: string | undefined): readonly StoredRun[] {
    const disk = this.#disk;
    const { incarnation } = this.#mine();
    const claimed = ids.filter((id) => {
      const row = disk.runs.get(id);
      if (row === undefined || !isOf(row, namespace)) return false;
      const owner = disk.owners.get(id);
      if (owner !== undefined && owner !== incarnation) return false;
      disk.owners.set(id, incarnation);
      if (row.held === "") disk.runs.set(id, { ...row, due: 0 });
      return true;
    });
    disk.settleCommit(true);
    return loadRuns(disk, claimed);
  }

  #giveUp(ids: readonly RunId[]): void {
    const { incarnation } = this.#mine();
    for (const id of ids) {
      if (this.#disk.owners.get(id) === incarnation) this.#disk.letGo(id, 0);
    }
    this.#disk.settleCommit(true);
    this.#disk.nodes.writer = incarnation;
    this.#disk.nodes.hintAll();
  }

  #send({ id, run, body }: { id: string; run: RunId; body: string }): ItemAnswer {
    const { incarnation } = this.#mine();
    const holder = this.#disk.nodes.live(this.#disk.owners.get(run) ?? 0);
    if (holder === undefined) return { status: "refused", why: "unknown", detail: run };
    holder.errands.push({ id, from: incarnation, run, body });
    holder.hint();
    return { status: "applied", parked: false };
  }

  #takeOver(): number {
    this.#mine();
    const disk = this.#disk;
    const now = this.#way.now();
    const over = disk.nodes.all.filter(({ leaseUntil }) => leaseUntil < now);
    for (const life of over) {
      life.isLive = false;
      for (const run of disk.nodes.runsOf(life.incarnation)) disk.letGo(run, 1);
      disk.letGoTasks(life.incarnation);
    }
    if (over.length > 0) {
      disk.recoverKeys();
      disk.settleCommit(true);
      disk.nodes.hintAll();
    }
    return over.length;
  }
}

function collect(life: NodeLife): Post {
  const { errands, replies } = life;
  const runs = [...life.mail];
  life.mail.clear();
  life.errands = [];
  life.replies = [];
  return { runs, errands, replies };
}

function inboxOf(disk: MemoryDisk, id: RunId): InboxRow[] {
  return disk.inbox.of(id).map((row) => ({ ...row }));
}

function unhosted(
  disk: MemoryDisk,
  dueBefore: number,
  limit: number,
  namespace: string | undefined,
): readonly RunId[] {
  const hosted = disk.nodes.all.flatMap(({ report }) => report?.hosted ?? []);
  const found: RunId[] = [];
  for (const row of disk.runs.values()) {
    if (row.held !== "" || row.due === null || row.due > dueBefore) continue;
    if (disk.owners.has(row.id) || !isOf(row, namespace) || isHosted(row, hosted)) continue;
    found.push(row.id);
  }
  return found.sort().slice(0, limit);
}

function isHosted(row: RunRow, hosted: readonly Hosted[]): boolean {
  return hosted.some(
    ({ workflow, version }) => workflow === row.workflow && version === row.version,
  );
}
