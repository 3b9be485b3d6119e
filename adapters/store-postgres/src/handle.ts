import type { Batch, BatchAnswer, Log, NodeReport, StoreInfo } from "@claw/core/ports";
import { ClawError, isClawError, limits, type RunId } from "@claw/core/protocol";
import { durabilityFindings, durabilityOf, readServer, refuseUnfit } from "./check-server.ts";
import { BatchWriter } from "./commit-batch.ts";
import { ALONE, DueRuns, type Share } from "./due-runs.ts";
import { EventShapes } from "./event-shapes.ts";
import { Hints } from "./hints.ts";
import { Journals } from "./journals.ts";
import { Lease } from "./lease.ts";
import { Link } from "./link.ts";
import { RunLister } from "./list-runs.ts";
import { endLife, otherLives } from "./lives.ts";
import { postgresError } from "./postgres-error.ts";
import { Reads } from "./reads.ts";
import { RunReader } from "./read-runs.ts";
import { type TaskReader, taskReader } from "./read-tasks.ts";
import { inSchema, migrate, quoted, SCHEMA_VERSION } from "./schema.ts";
import { type Membership, seeNodes, takeOver } from "./shared-store.ts";

/** Where a store is. */
export interface PostgresOptions {
  /** `postgres://user:password@host:port/database`; the password appears in no error and no log. */
  readonly url: string;
  /**
   * The server itself, where `url` leads to a pooler such as PgBouncer: for what needs a session of its own.
   * Default: `url`. Errors of a pooler without it: CLAW-4077.
   */
  readonly directUrl?: string;
  /** Schema of the tables; it is made when it is missing. Default: `claw`. */
  readonly schema?: string;
  /**
   * False: other nodes work on the schema as well, and `Store.shared` is there. True: this process owns the schema; while
   * it does, others are refused (CLAW-4001), and it needs no lease. Default: true.
   */
  readonly alone?: boolean;
  /** Time without a renewal after which others take over what this node holds, milliseconds, from 100 to 600,000. Default: 3,000. */
  readonly leaseMs?: number;
  /** Time without any movement of the main loop after which the lease is not renewed, milliseconds. Default: five leases. */
  readonly stallMs?: number;
  /** Told of commits that are sent again, and of settings under which they can be lost. Default: nobody. */
  readonly log?: Log;
}

/** Pauses between attempts to become the owner after this process lost its connection, milliseconds. */
const RETAKE_MS = [10, 50, 200, 500, 1_000] as const;
const LEASE_MS = 3_000;
const LEASE_MS_MIN = 100;
const LEASE_MS_MAX = 600_000;
const STALL_LEASES = 5;

/** A connection with the verbs on it. */
export interface Verbs {
  readonly link: Link;
  readonly reads: Reads;
  readonly reader: RunReader;
  readonly dueRuns: DueRuns;
  readonly lister: RunLister;
  readonly writer: BatchWriter;
  readonly journals: Journals;
  readonly shapes: EventShapes;
  readonly tasks: TaskReader;
  readonly incarnation: number;
  /** Null for a process that is alone. */
  readonly membership: Membership | null;
}

/** An incarnation that has begun. */
interface Begun {
  readonly incarnation: number;
  readonly afterCrash: boolean;
  readonly membership: Membership | null;
}

/** The connections of a store, and its incarnation. */
export class PostgresHandle {
  readonly #url: string;
  readonly #directUrl: string;
  readonly #schema: string;
  readonly #alone: boolean;
  readonly #leaseMs: number;
  readonly #stallMs: number;
  readonly #log: Log;
  #verbs: Verbs | null = null;
  #lost: (error: unknown) => void = () => {};
  /** The one that this handle began last; 0 for none, and after `close`. */
  #former = 0;
  #report: NodeReport | null = null;
  #listener: (() => void) | null = null;
  // One verb at a time: a transaction of one must not hold statements of another.
  #last: Promise<unknown> = Promise.resolve();
  #lastAside: Promise<unknown> = Promise.resolve();

  constructor(options: PostgresOptions) {
    const { url, schema = "claw", alone = true, leaseMs = LEASE_MS } = options;
    this.#url = url;
    this.#directUrl = options.directUrl ?? url;
    this.#schema = schema;
    this.#alone = alone;
    this.#leaseMs = leaseMs;
    this.#stallMs = options.stallMs ?? leaseMs * STALL_LEASES;
    this.#log = options.log ?? ((): void => {});
  }

  get membership(): Membership | null {
    return this.#verbs?.membership ?? null;
  }

  /** What of the due runs this node looks at first. */
  get share(): Share {
    const { membership } = this;
    if (membership === null) return ALONE;
    const { incarnation, lease } = membership;
    return { live: lease.live, own: incarnation, hosted: this.#report?.hosted ?? [] };
  }

  async open(lost: (error: unknown) => void = () => {}): Promise<StoreInfo> {
    this.#lost = lost;
    quoted(this.#schema);
    this.#refuseBounds();
    await this.#abandon();
    const link = await (this.#alone ? this.#session(this.#directUrl) : Link.to(this.#url));
    try {
      const server = await readServer(link);
      refuseUnfit(link, server);
      for (const { message } of this.#former > 0 ? [] : durabilityFindings(server)) {
        this.#log({ level: "warn", message, fields: { store: link.location } });
      }
      await migrate(link, this.#schema);
      return await this.#begin(link, durabilityOf(server));
    } catch (error) {
      await link.end();
      throw postgresError(error, link.location);
    }
  }

  async close(): Promise<void> {
    await this.#last.catch(() => {});
    const verbs = this.#verbs;
    if (verbs !== null) {
      try {
        await this.#giveBack(verbs);
      } catch {
        // What cannot be given back is found by the next owner, as after a crash.
      }
    }
    this.#former = 0;
    await this.#abandon();
  }

  commit(batch: Batch): Promise<BatchAnswer> {
    return this.use(({ writer }) => writer.commit(batch));
  }

  setReport(report: NodeReport): void {
    this.#report = report;
    this.membership?.lease.report(report);
  }

  setListener(listener: (() => void) | null): void {
    this.#listener = listener;
  }

  /** Carries out a verb. What the server throws ends the use of this connection: its state is not known. */
  use<T>(verb: (verbs: Verbs) => Promise<T>): Promise<T> {
    const result = this.#last.then(() => this.#guarded(verb));
    this.#last = result.catch(() => {});
    return result;
  }

  /** Carries out a verb on the other connection of a node, beside commits. */
  aside<T>(verb: (membership: Membership) => Promise<T>): Promise<T> {
    const result = this.#lastAside.then(() =>
      this.#guarded(({ membership }) => verb(memberOf(membership))),
    );
    this.#lastAside = result.catch(() => {});
    return result;
  }

  async #guarded<T>(verb: (verbs: Verbs) => Promise<T>): Promise<T> {
    const verbs = this.#verbs;
    if (verbs === null) throw new ClawError("CLAW-4006", "The store is not open");
    try {
      return await verb(verbs);
    } catch (error) {
      const known = postgresError(error, verbs.link.location);
      // What is coded already is an answer, not a broken connection.
      const isAnswer = isClawError(error) || known.code === "CLAW-4007";
      if (known.code === "CLAW-4007") verbs.membership?.lease.end();
      if (!isAnswer && this.#verbs === verbs) {
        await this.#abandon();
        this.#lost(known);
      }
      throw known;
    }
  }

  #refuseBounds(): void {
    const isValid = this.#leaseMs >= LEASE_MS_MIN && this.#leaseMs <= LEASE_MS_MAX;
    if (isValid && this.#stallMs >= this.#leaseMs) return;
    throw new ClawError(
      "CLAW-4008",
      `leaseMs is ${this.#leaseMs}, from ${LEASE_MS_MIN} to ${LEASE_MS_MAX}; stallMs is ${this.#stallMs}, not less`,
    );
  }

  // The lock belongs to the connection: it is free as soon as the server knows that the process has ended.
  async #own(link: Link): Promise<void> {
    const kind = this.#alone ? "" : "_shared";
    for (const pauseMs of [0, ...(this.#former > 0 ? RETAKE_MS : RETAKE_MS.slice(0, 3))]) {
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      const [row] = await link.query<{ mine: boolean }>(
        inSchema(`SELECT pg_try_advisory_lock${kind}(claw.lock_class(), 0) AS mine`, this.#schema),
      );
      if (row?.mine === true) return;
    }
    throw new ClawError("CLAW-4001", `${link.location} schema ${this.#schema} has another owner`);
  }

  async #begin(link: Link, durability: string): Promise<StoreInfo> {
    const reads = new Reads(link, this.#schema);
    const journals = new Journals();
    const shapes = new EventShapes(link, this.#schema);
    const begun = this.#alone ? await this.#beginAlone(link, reads) : await this.#join(link, reads);
    const { incarnation, membership } = begun;
    this.#former = incarnation;
    const owed = await reads.once("SELECT 1 FROM claw.spreads LIMIT 1");
    await shapes.load();
    const tailOf = (run: RunId): string => journals.get(run)?.text ?? "";
    const reader = new RunReader(reads, tailOf, this.#alone ? null : incarnation);
    const mailed =
      membership && ((whose: readonly number[] | "all"): void => membership.hints.tell(whose));
    this.#verbs = {
      link,
      reads,
      reader,
      dueRuns: new DueRuns(reads),
      lister: new RunLister(reads, reader, tailOf),
      writer: new BatchWriter(link, this.#schema, shapes, journals, mailed, this.#log),
      journals,
      shapes,
      tasks: taskReader(reads, membership === null ? null : incarnation),
      incarnation,
      membership,
    };
    return {
      kind: "postgres",
      location: `${link.location} schema ${this.#schema}`,
      durability,
      schemaVersion: SCHEMA_VERSION,
      incarnation,
      afterCrash: begun.afterCrash,
      ...(owed.length > 0 ? { owes: true as const } : {}),
    };
  }

  // Nobody else works on the schema: whatever incarnations there are have ended.
  async #beginAlone(link: Link, reads: Reads): Promise<Begun> {
    await this.#own(link);
    const isReopened = this.#former > 0;
    const more = isReopened ? 0 : 1;
    for (const incarnation of await otherLives(reads, 0, false)) {
      await endLife(link, reads, { incarnation, onlyOver: false, more });
    }
    const [life] = await reads.once<{ id: number; was_open: boolean }>(
      "SELECT * FROM claw.begin_alone($1, $2)",
      [more, limits.RECOVERIES_MAX],
    );
    const afterCrash = !isReopened && life?.was_open === true;
    return { incarnation: life?.id ?? 0, afterCrash, membership: null };
  }

  async #join(link: Link, reads: Reads): Promise<Begun> {
    if (this.#former > 0) {
      const mine = { incarnation: this.#former, onlyOver: false, more: 0 } as const;
      await endLife(link, reads, mine);
    }
    const side = await this.#session(this.#directUrl);
    try {
      await this.#own(side);
      await this.#boundStandstill(link, side);
      const [grantedAt, before] = [process.hrtime.bigint(), Date.now()];
      const [life] = await reads.once<{ id: number; now_ms: number }>(
        "SELECT * FROM claw.begin_beside($1, $2)",
        [this.#leaseMs, this.#report === null ? null : JSON.stringify(this.#report)],
      );
      const skewMs = (life?.now_ms ?? 0) - (before + Date.now()) / 2;
      const incarnation = life?.id ?? 0;
      const hints = await Hints.on(side, this.#schema, incarnation);
      const lease = this.#lease(incarnation, grantedAt, skewMs);
      const sideReads = new Reads(side, this.#schema);
      const membership = { incarnation, lease, hints, side, sideReads };
      hints.onHint = () => this.#listener?.();
      lease.onNews = () => this.#listener?.();
      await takeOver(membership);
      await seeNodes(membership);
      return { incarnation, afterCrash: false, membership };
    } catch (error) {
      await side.end();
      throw error;
    }
  }

  // A connection whose session is its own: locks of a session and notifications need that.
  async #session(url: string): Promise<Link> {
    const link = await Link.to(url);
    if (!link.isPooled) return link;
    await link.end();
    throw new ClawError("CLAW-4077", `${link.location} is a pooler`);
  }

  // A node that stands still in a transaction must not keep others waiting for its locks. A pooler has its own bound.
  async #boundStandstill(...links: readonly Link[]): Promise<void> {
    for (const link of links) {
      if (link.isPooled) continue;
      await link.query(`SET idle_in_transaction_session_timeout = ${Math.ceil(this.#stallMs)}`);
    }
  }

  #lease(incarnation: number, grantedAt: bigint, skewMs: number): Lease {
    const order = {
      url: this.#url,
      schema: this.#schema,
      incarnation,
      leaseMs: this.#leaseMs,
      stallMs: this.#stallMs,
    };
    return new Lease(order, grantedAt, skewMs);
  }

  // No process ended with it: nobody has a recovery more.
  async #giveBack({ link, reads, incarnation, membership }: Verbs): Promise<void> {
    await endLife(link, reads, { incarnation, onlyOver: false, more: 0 });
    await reads.once(
      `UPDATE claw.meta SET value = 0 WHERE name = 'open'
       AND NOT EXISTS (SELECT 1 FROM claw.incarnations WHERE state = 'live')`,
    );
    membership?.hints.tell("all");
    await membership?.hints.flush();
  }

  async #abandon(): Promise<void> {
    const verbs = this.#verbs;
    this.#verbs = null;
    await verbs?.membership?.lease.stop();
    await verbs?.membership?.side.end();
    await verbs?.link.end();
  }
}

function memberOf(membership: Membership | null): Membership {
  if (membership === null) throw new ClawError("CLAW-4006", "The store is not open to other nodes");
  return membership;
}
