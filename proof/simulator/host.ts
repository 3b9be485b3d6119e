import type {
  Batch,
  BatchAnswer,
  Clock,
  Log,
  Random,
  SharedStore,
  Store,
  Turns,
} from "@claw/core/ports";
import { ClawError } from "@claw/core/protocol";
import { type Claw, openRuntime, type RuntimeLimits } from "@claw/runtime";
import type { Dice } from "./dice.ts";
import type { Definitions } from "./interpret.ts";
import type { Program } from "./statement.ts";
import type { Rest, Scheduler, TaskOwner } from "./scheduler.ts";
import type { Weather } from "./weather.ts";

/** What a node tells its world. */
export interface HostListener {
  /** Before its store is opened, also for the second time. */
  opening(host: Host): void;
  opened(host: Host): void;
  /** Retention has removed something, or nothing. */
  swept(): void;
  /** Before a batch is sent. */
  committing(host: Host, batch: Batch): void;
  answered(host: Host, batch: Batch, answer: BatchAnswer): void;
  refused(host: Host, batch: Batch, error: unknown): void;
}

/** Where a planned crash hits. */
export type CrashPoint =
  | "between tasks"
  | "inside a turn"
  | "before a commit"
  | "before a flush"
  | "after a commit"
  | "freeze after a commit";

/** What one node is made of. */
export interface HostOptions {
  readonly name: string;
  readonly namespace: string;
  readonly scheduler: Scheduler;
  readonly dice: Dice;
  readonly store: Store;
  readonly definitions: Definitions;
  readonly queues: Weather["queues"];
  /** What the workflows perform. */
  readonly programs: readonly Program[];
  readonly limits: Partial<RuntimeLimits>;
  readonly listener: HostListener;
  /** Of several nodes: whether nobody has ended this incarnation. */
  readonly isLive?: (incarnation: number) => boolean;
}

/** Turns of replays that follow one another at once: some do, others let other tasks in between. */
const FOLLOWED_MAX = 3;

const never = <T>(): Promise<T> => new Promise(() => {});

/** One life of a node: the production runtime on simulated time, chance, turns and store. */
export class Host implements TaskOwner {
  readonly name: string;
  readonly namespace: string;
  readonly programs: readonly Program[];
  readonly queues: Weather["queues"];
  readonly definitions: Definitions;
  dead = false;
  frozen = false;
  /** Frozen for a while only, and still the owner of its store. */
  blocked = false;
  /** True once another node has taken the store over. */
  fenced = false;
  /** Told to stop, beside others. */
  leaving = false;
  /** Milliseconds by which its clock is ahead of the world's. */
  skewMs = 0;
  claw: Claw | null = null;
  failure: Error | null = null;
  /** Where it will crash, and how many such places are still passed. */
  doom: { readonly point: CrashPoint; left: number } | null = null;
  readonly #options: HostOptions;

  constructor(options: HostOptions) {
    this.name = options.name;
    this.namespace = options.namespace;
    this.programs = options.programs;
    this.queues = options.queues;
    this.definitions = options.definitions;
    this.#options = options;
  }

  /** Begins to open the runtime; `claw` or `failure` is set when that is done. */
  open(): void {
    const { namespace, definitions, queues, limits } = this.#options;
    openRuntime({
      store: this.#store(),
      ...definitions,
      queues,
      namespace,
      limits,
      clock: this.#clock(),
      random: this.#random(),
      turns: this.#turns(),
      log: this.#log,
    }).then(
      (claw) => {
        this.claw = claw;
      },
      (error: unknown) => {
        this.failure = error instanceof Error ? error : new Error(String(error));
      },
    );
  }

  /** The process is gone: nothing of it ever happens again. */
  crash(): void {
    this.dead = true;
  }

  /** True when the power fails before the commit under way is flushed. */
  losesPower(): boolean {
    return this.#hit("before a flush");
  }

  /** True when a planned crash hits here. */
  #hit(point: CrashPoint): boolean {
    if (!this.#reached(point)) return false;
    this.crash();
    return true;
  }

  #reached(point: CrashPoint): boolean {
    const { doom } = this;
    if (this.dead || doom === null || doom.point !== point || doom.left-- > 0) return false;
    this.doom = null;
    return true;
  }

  /** True when it hosts every one of these programs. */
  hosts(programs: readonly Program[]): boolean {
    return programs.every(({ name, version }) => this.finds(name, version) !== undefined);
  }

  /** The program of this name and version that it hosts. */
  finds(name: string, version: number): Program | undefined {
    return this.programs.find((one) => one.name === name && one.version === version);
  }

  /** Called after each task of the world. */
  betweenTasks(): void {
    this.#hit("between tasks");
  }

  /** True while this life may begin bodies: of several nodes, while its lease lasts by its own count. */
  get mayBegin(): boolean {
    const { store, isLive } = this.#options;
    const known = this.claw?.store.incarnation;
    const isEnded = known !== undefined && isLive?.(known) === false;
    return !isEnded && (store.shared?.leaseLeftMs() ?? 1) > 0;
  }

  /** The time on this node's clock. */
  get now(): number {
    return this.#options.scheduler.now + this.skewMs;
  }

  #clock(): Clock {
    const { scheduler } = this.#options;
    return {
      now: () => this.now,
      after: (delayMs, fire) => scheduler.later(this, delayMs, fire),
    };
  }

  #random(): Random {
    const dice = this.#options.dice.fork();
    return { word: () => dice.word() };
  }

  #turns(): Turns {
    const { scheduler } = this.#options;
    let next: (() => void) | null = null;
    let followed = 0;
    const shut = (): Rest | undefined => {
      if (this.#hit("inside a turn") || this.dead) return undefined;
      const close = next;
      next = null;
      close?.();
      return next === null ? undefined : shut;
    };
    return {
      next: (deliver, close) => {
        scheduler.soon(this, () => {
          deliver();
          next = close;
          followed = 0;
          return shut;
        });
      },
      follow: (close) => {
        if (followed >= FOLLOWED_MAX) return false;
        followed++;
        next = close;
        return true;
      },
    };
  }

  readonly #log: Log = (): void => {};

  // The store as this process sees it: once it is dead, nothing is asked and nothing is answered.
  #store(): Store {
    const { store, listener } = this.#options;
    const asked = <T>(verb: () => T | Promise<T>): T | Promise<T> => {
      if (this.dead) return never();
      const answer = verb();
      return this.dead ? never() : answer;
    };
    return {
      ...store,
      open: () =>
        asked(() => {
          if (this.fenced) throw new ClawError("CLAW-4001", "Another process owns the store");
          listener.opening(this);
          const info = store.open();
          const tell = <T>(value: T): T => {
            if (!this.dead) listener.opened(this);
            return value;
          };
          return info instanceof Promise ? info.then(tell) : tell(info);
        }),
      commit: (batch) => asked(() => this.#commit(batch)),
      load: (ids) => asked(() => store.load(ids)),
      due: (...asks) => asked(() => store.due(...asks)),
      suspects: (...asks) => asked(() => store.suspects(...asks)),
      nextDue: (...asks) => asked(() => store.nextDue(...asks)),
      held: (...asks) => asked(() => store.held(...asks)),
      findDedup: (scope) => asked(() => store.findDedup(scope)),
      sweep: (order) =>
        asked(() => {
          const swept = store.sweep(order);
          if (!(swept instanceof Promise)) listener.swept();
          else
            swept.then(
              () => listener.swept(),
              () => {},
            );
          return swept;
        }),
      find: (id) => asked(() => store.find(id)),
      ...(store.shared === undefined ? {} : { shared: sharedOf(store.shared, asked) }),
      streams: { read: (query) => asked(() => store.streams.read(query)) },
    };
  }

  #commit(batch: Batch): BatchAnswer | Promise<BatchAnswer> {
    const { store, listener } = this.#options;
    if (this.#hit("before a commit")) return never();
    listener.committing(this, batch);
    const tell = (answer: BatchAnswer): BatchAnswer | Promise<BatchAnswer> => {
      listener.answered(this, batch, answer);
      if (this.#hit("after a commit")) return never();
      if (this.#reached("freeze after a commit")) {
        this.frozen = true;
        return new Promise((resolve) => {
          this.#options.scheduler.soon(this, () => resolve(answer));
        });
      }
      return this.dead ? never() : answer;
    };
    try {
      const answer = store.commit(batch);
      if (!(answer instanceof Promise)) return tell(answer);
      return answer.then(tell, (error: unknown) => {
        listener.refused(this, batch, error);
        if (this.dead) return never();
        throw error;
      });
    } catch (error) {
      listener.refused(this, batch, error);
      if (this.dead) return never();
      throw error;
    }
  }
}

type Asked = <T>(verb: () => T | Promise<T>) => T | Promise<T>;

function sharedOf(shared: SharedStore, asked: Asked): SharedStore {
  return {
    ...shared,
    claim: (...asks) => asked(() => shared.claim(...asks)),
    giveUp: (ids) => asked(() => shared.giveUp(ids)),
    inbox: (ids) => asked(() => shared.inbox(ids)),
    unhosted: (...asks) => asked(() => shared.unhosted(...asks)),
    holder: (run) => asked(() => shared.holder(run)),
    collect: () => asked(() => shared.collect()),
    watch: (...asks) => asked(() => shared.watch(...asks)),
    send: (errand) => asked(() => shared.send(errand)),
    reply: (...asks) => asked(() => shared.reply(...asks)),
    nodes: () => asked(() => shared.nodes()),
    takeOver: () => asked(() => shared.takeOver()),
  };
}
