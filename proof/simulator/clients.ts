import type { Claw } from "@claw/runtime";
import { limits } from "@claw/core/protocol";
import { CLIENT_ERRORS } from "./client-errors.ts";
import { Approvers } from "./clients/approvers.ts";
import { Readers } from "./clients/readers.ts";
import type { Asking, Desk } from "./clients/desk.ts";
import { Enqueuers } from "./clients/enqueuers.ts";
import { Updaters } from "./clients/updaters.ts";
import type { Dice } from "./dice.ts";
import type { Host } from "./host.ts";
import { checkBackup } from "./invariants/backup.ts";
import { EVENT_TYPES, K_MAX, SIGNALS, TRIGGER_TYPE } from "./program.ts";
import { drain } from "./scheduler.ts";
import { weigh } from "./weight.ts";
import type { World } from "./world.ts";

/** Rounds of the end: each gives every waiting run a signal and an event; the longest trees need about 140. */
const END_ROUNDS_MAX = 240;
const ROUND_MS = 250_000;
/** Longer than the pause after which a node looks again at what it waits for, whatever it was told. */
const TOLD_WITHIN_MS = 30_000;
const CLOCK_JUMP_MS_MAX = 120_000;
/** Rounds of the end after which a run with a full inbox is terminated. */
const PATIENT_ROUNDS = 5;
/** Runs that are started whatever they weigh. */
const STARTS_MIN = 30;

/** Everybody outside: starts runs, sends signals and events, cancels, repeats itself. */
export class Clients implements Desk {
  readonly world: World;
  readonly dice: Dice;
  #startsLeft: number;
  /** Calls that runs of each program make. */
  readonly #weights: readonly number[];
  /** Calls that are still asked for; a world of millions finds no more than one of thousands. */
  #weightLeft: number;
  #number = 0;
  #flooded = false;
  readonly #approvers: Approvers = new Approvers(this);
  readonly #updaters: Updaters = new Updaters(this);
  readonly #enqueuers: Enqueuers = new Enqueuers(this);
  readonly #readers: Readers = new Readers(this);
  /** Those who wait for the end of a run, by the node that they wait at. */
  readonly #waiting = new Map<Host, Set<string>>();
  /** Acknowledged messages that lay in an inbox. */
  readonly #owed = new Map<
    string,
    { readonly run: string; readonly seq: number; readonly isIt: (text: string) => boolean }
  >();
  /** Run ids by namespace and idempotency key. */
  readonly #byKey = new Map<string, string>();

  constructor(world: World, dice: Dice) {
    this.world = world;
    this.dice = dice;
    this.#startsLeft = world.weather.starts;
    this.#weights = weigh(world.programs);
    this.#weightLeft = world.weather.weightMax;
  }

  /** A number that nobody had before. */
  next(): number {
    return this.#number++;
  }

  /** Begins to act, now and then, until all starts were made. */
  begin(): void {
    const { scheduler, weather, faults } = this.world;
    scheduler.later(null, this.dice.below(weather.paceMs * 2), () => {
      const host = this.world.reach();
      if (host !== null && host.claw !== null && !host.dead) this.#act(host, host.claw);
      if (this.#startsLeft > 0 && faults.on) this.begin();
    });
  }

  #act(host: Host, claw: Claw): void {
    const { weather } = this.world;
    if (this.dice.chance(weather.clockJumps)) this.#jump(host);
    if (weather.flood && !this.#flooded && this.#startsLeft < 10) this.#flood(host, claw);
    this.dice.weighted<() => void>([
      [6, () => this.#start(host)],
      [4, () => this.#signal(host)],
      [4, () => this.#publish(host)],
      [0.5, () => this.#cancel(host, claw)],
      [0.8, () => this.#approvers.act(host, claw)],
      [1, () => this.#updaters.query(host, claw)],
      [this.world.crowd === null ? 1.5 : 0, () => this.#enqueuers.act(host, claw)],
      [1.5, () => this.#updaters.update(host)],
      [0.8, () => this.#readers.act(host)],
      [0.3, () => this.#release(host, claw)],
      [1.5, () => this.world.operators.act(host, claw)],
      [this.world.crowd === null ? 0 : 3, () => this.#burst()],
      [0.1, () => this.asked(host, "backup", checkBackup(this.world, host), () => {})],
    ])();
  }

  #jump(host: Host): void {
    const ms = this.dice.between(-CLOCK_JUMP_MS_MAX, CLOCK_JUMP_MS_MAX);
    host.skewMs += ms;
    this.world.fault(ms < 0 ? "clock jump back" : "clock jump forward", `${ms}`);
  }

  #start(host: Host): void {
    const { programs, ledger, truth } = this.world;
    const dice = this.dice;
    const program = dice.pick(programs.slice(0, -2));
    const number = this.next();
    const key = dice.chance(0.4) ? `key-${number}` : undefined;
    this.#startsLeft--;
    this.#weightLeft -= this.#weights[program.index] ?? 0;
    if (this.#weightLeft < 0 && this.#number >= STARTS_MIN) this.#startsLeft = 0;
    const attempt = (on: Host): void => {
      const options = key === undefined ? {} : { idempotencyKey: key };
      const starting = on.claw?.start(program.name, number, options);
      const told = ({
        id,
        existing,
      }: {
        readonly id: string;
        readonly existing: boolean;
      }): void => {
        ledger.check("an acknowledged start is durable", truth.runs.has(id), () => id);
        const run = truth.runs.get(id);
        if (!existing && run?.start.keyed === undefined && run?.entries.length === 0) {
          this.#watchRoom(on, id);
        }
        if (dice.chance(0.3)) this.#awaitEnd(on, id);
        if (key === undefined) return;
        const scope = `${on.namespace} ${key}`;
        const first = this.#byKey.get(scope) ?? id;
        this.#byKey.set(scope, first);
        ledger.check(
          "an idempotency key gives one run",
          first === id,
          () => `${key}: ${first}, ${id}`,
        );
      };
      const failed = (code: string): void => ledger.count(`refused ${code}`);
      const codes = program.keyed === null ? [] : ["CLAW-2041"];
      this.asked(on, "start", starting, told, { codes, failed });
    };
    attempt(host);
    if (key !== undefined && dice.chance(0.5)) this.again(attempt);
  }

  // Whoever waits is told what the store holds, also after the store was lost and opened again.
  #awaitEnd(host: Host, id: string): void {
    const { truth, ledger } = this.world;
    const waiting = this.#waiting.get(host) ?? new Set<string>();
    this.#waiting.set(host, waiting.add(id));
    this.asked(
      host,
      "ended",
      host.claw?.run(id).ended(),
      (end) => {
        const known = truth.runs.get(id)?.ending;
        ledger.check(
          "a client is told the end that is in the store",
          known?.status === end.status,
          () => `${id} is ${known?.status}, told ${end.status}`,
        );
      },
      { settled: () => waiting.delete(id) },
    );
  }

  #isOwed(host: Host): boolean {
    return [...(this.#waiting.get(host) ?? [])].some((id) => !this.world.disk.runs.has(id));
  }

  /** Whoever still waits at a node for a run that has ended was forgotten. */
  checkWaiting(host: Host): void {
    for (const id of this.#waiting.get(host) ?? []) {
      const open = this.world.disk.runs.has(id);
      this.world.ledger.check("every waiting client is answered", open, () => `${host.name} ${id}`);
    }
  }

  /** What was promised is void: the store went back in time. */
  forget(): void {
    this.#owed.clear();
    this.#waiting.clear();
    this.#byKey.clear();
    this.#updaters.forget();
    this.#readers.forget();
    this.#enqueuers.forget();
  }

  /** A node that has stopped has told all who waited at it. */
  checkNobodyWaits(host: Host): void {
    const left = this.#waiting.get(host)?.size ?? 0;
    this.world.ledger.check("a stop answers whoever waits", left === 0, () => host.name);
  }

  // A new run that is due at once waits for room in memory.
  #watchRoom(host: Host, id: string): void {
    if (this.world.disk.runs.get(id)?.due === 1) this.world.fault("activations limited", host.name);
  }

  /** The same call once more, now or later, on whatever node is there. */
  again(attempt: (host: Host) => void): void {
    const { scheduler, ledger } = this.world;
    scheduler.later(null, this.dice.pick([0, 1, 1_000, 100_000]), () => {
      const host = this.world.reach();
      if (host === null || host.claw === null || host.dead) return;
      ledger.count("fault repeated call");
      attempt(host);
    });
  }

  /** An open run of any namespace. */
  pickOpen(): string | undefined {
    const open = [...this.world.disk.runs.values()];
    return open.length === 0 ? undefined : this.dice.pick(open).id;
  }

  #signal(host: Host): void {
    const run = this.pickOpen();
    if (run === undefined) return;
    const name = this.dice.pick(SIGNALS);
    const value = `v${this.next()}`;
    const id = this.dice.chance(0.5) ? { id: `id-${value}` } : {};
    const attempt = (on: Host): void => {
      this.asked(on, "signal", on.claw?.signal(run, name, value, id), () => {
        this.mustHold(run, (text) => text.includes(JSON.stringify(value)), `signal ${value}`);
      });
    };
    attempt(host);
    if (id.id !== undefined && this.dice.chance(0.5)) this.again(attempt);
  }

  // Signals of one name to one run, each at whatever node answers.
  #burst(): void {
    const run = this.pickOpen();
    const name = this.dice.pick(SIGNALS);
    if (run === undefined) return;
    for (let left = 3; left > 0; left--) {
      const on = this.world.reach();
      const value = `v${this.next()}`;
      if (on !== null) this.asked(on, "signal", on.claw?.signal(run, name, value), () => {});
    }
  }

  /** What was acknowledged is in the inbox, in the journal, or came to a run that has ended. */
  mustHold(run: string, isIt: (text: string) => boolean, what: string): void {
    const { disk, truth, ledger } = this.world;
    const known = truth.runs.get(run);
    const found =
      disk.closed.has(run) ||
      truth.swept.has(run) ||
      disk.inbox.of(run).some(({ data }) => isIt(data)) ||
      known?.entries.some(({ data }) => isIt(data)) === true;
    ledger.check("an acknowledged message is in the store", found, () => `${what} to ${run}`);
    const row = disk.inbox.of(run).find(({ data }) => isIt(data));
    if (row !== undefined) this.#owed.set(`${run} ${row.seq}`, { run, seq: row.seq, isIt });
  }

  /** Acknowledged messages that were not taken are still there. */
  audit(): void {
    const { disk, truth, ledger } = this.world;
    for (const [name, { run, seq, isIt }] of this.#owed) {
      const known = truth.runs.get(run);
      const taken = known === undefined || known.taken.has(seq) || known.ending !== null;
      if (taken || disk.closed.has(run) || known.entries.some(({ data }) => isIt(data))) {
        this.#owed.delete(name);
        continue;
      }
      const found = disk.inbox.of(run).some((row) => row.seq === seq);
      ledger.check("an acknowledged message waits until it is taken", found, () => name);
    }
  }

  #publish(host: Host): void {
    const { truth, disk, ledger } = this.world;
    const type = this.dice.chance(0.15) ? TRIGGER_TYPE : this.dice.pick(EVENT_TYPES);
    const number = this.next();
    const data = { k: this.dice.below(K_MAX), n: `e${number}` };
    const attempt = (on: Host): void => {
      const event = { type, id: `evt-${number}`, data };
      this.asked(on, "publish", on.claw?.publish(event), ({ started }) => {
        const known = started.every((id) => truth.runs.has(id));
        const identity = [on.namespace, `/claw/${on.namespace}`, event.id].join("\u001f");
        ledger.check(
          "an acknowledged event is in the store",
          known && disk.eventIds.has(identity),
          () => event.id,
        );
      });
    };
    attempt(host);
    if (this.dice.chance(0.3)) this.again(attempt);
  }

  #cancel(host: Host, claw: Claw): void {
    const run = this.pickOpen();
    if (run === undefined) return;
    this.asked(host, "cancel", claw.cancel(run, "enough"), () => {
      // A second request while the first is under way is dropped on purpose.
      this.mustHold(run, (text) => text.includes("enough"), "cancel");
    });
  }

  #release(host: Host, claw: Claw): void {
    const held = [...this.world.disk.runs.values()].filter(
      (row) => row.held !== "" && row.held !== "queued",
    );
    const run = held.length === 0 ? this.pickOpen() : this.dice.pick(held).id;
    if (run === undefined) return;
    this.asked(host, "release", claw.release(run), () => {}, { codes: ["CLAW-2015"] });
  }

  // More signals than an inbox takes, to a run that does not ask for them.
  #flood(host: Host, claw: Claw): void {
    const run = this.pickOpen();
    if (run === undefined) return;
    this.#flooded = true;
    for (let i = 0; i <= limits.INBOX_ROWS_MAX + 5; i++) {
      claw.signal(run, "flood", i).catch((error: unknown) => {
        const code = String((error as { code?: unknown }).code);
        if (code === "CLAW-3004") this.world.fault("full inbox", host.name);
      });
    }
  }

  /** Counts a call and checks its answer. */
  asked<T>(
    host: Host,
    verb: string,
    promise: Promise<T> | undefined,
    then: (value: T) => void,
    asking: Asking = {},
  ): void {
    const { ledger, programs } = this.world;
    ledger.count(`client ${verb}`);
    const told = (value: T): void => {
      asking.settled?.();
      then(value);
    };
    promise?.then(told, (error: unknown) => {
      asking.settled?.();
      const code = String((error as { code?: unknown }).code);
      this.world.note(`client ${verb} on ${host.name} failed: ${String(error)}`);
      const declared =
        CLIENT_ERRORS.has(code) ||
        asking.codes?.includes(code) === true ||
        asking.isDeclared?.(code) === true ||
        (code === "CLAW-1003" && !host.hosts(programs));
      ledger.check("clients get declared errors", declared, () => `${verb}: ${String(error)}`);
      if (declared) asking.failed?.(code);
    });
  }

  /** Sends whatever runs of the node's namespace wait for until all of them have ended. */
  async finish(host: Host): Promise<void> {
    const { scheduler, disk, ledger } = this.world;
    const open = (): boolean => {
      for (const row of disk.runs.values()) if (row.namespace === host.namespace) return true;
      return this.world.tasks.isOpen(host.namespace);
    };
    for (let round = 0; round < END_ROUNDS_MAX && !ledger.broken; round++) {
      await scheduler.run(scheduler.now + ROUND_MS, () => !open());
      if (!open() || host.claw === null) break;
      this.#serve(host, host.claw, round);
    }
    await drain();
    // Of several nodes one learns by post that another has ended a run: in time, also when the hint was lost.
    if (this.world.crowd !== null) {
      await scheduler.run(scheduler.now + TOLD_WITHIN_MS, () => !this.#isOwed(host));
    }
    this.checkWaiting(host);
    if (!ledger.broken) await this.#readers.finish(host);
    for (const row of disk.runs.values()) {
      ledger.check("every run ends", row.namespace !== host.namespace, () => JSON.stringify(row));
    }
  }

  #serve(host: Host, claw: Claw, round: number): void {
    for (const row of this.world.disk.runs.values()) {
      if (row.namespace !== host.namespace) continue;
      const full = this.world.disk.inbox.of(row.id).length >= limits.INBOX_ROWS_MAX;
      if (full && round >= PATIENT_ROUNDS) {
        // What it waits for cannot reach it, and shielded code does not hear that it is cancelled.
        this.asked(host, "terminate", claw.terminate(row.id, "full at the end"), () => {});
        continue;
      }
      if (row.held === "paused") {
        this.asked(host, "resume", claw.resume(row.id), () => {});
        continue;
      }
      // The end of the run that has its key wakes it, and nothing else.
      if (row.held === "queued") continue;
      if (row.held !== "" || full) {
        this.asked(host, "cancel", claw.cancel(row.id, "held at the end"), () => {});
        continue;
      }
      for (const name of SIGNALS) {
        this.asked(host, "signal", claw.signal(row.id, name, "end"), () => {});
      }
    }
    for (const [, rows] of this.world.disk.approvals.entries()) {
      for (const row of rows) {
        if (this.world.disk.runs.get(row.run)?.namespace === host.namespace)
          this.#approvers.decide(host, row);
      }
    }
    for (const type of EVENT_TYPES) {
      for (let k = 0; k < K_MAX; k++) {
        const event = { type, data: { k, n: `end ${round}` } };
        this.asked(host, "publish", claw.publish(event), () => {});
      }
    }
  }
}
