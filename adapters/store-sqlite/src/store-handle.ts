import type { Batch, BatchAnswer, StoreInfo } from "@claw/core/ports";
import { ClawError, isClawError } from "@claw/core/protocol";
import { type ApprovalLister, openApprovalLister } from "./approvals.ts";
import { type BatchWriter, openBatchWriter } from "./apply-batch.ts";
import { openRunLister, type RunLister } from "./list-runs.ts";
import {
  type DatabaseOptions,
  giveBack,
  type OpenDatabase,
  openDatabase,
  settlePath,
} from "./open-database.ts";
import { type OwnerLock, takeOwnership } from "./owner-lock.ts";
import { openRunReader, type RunReader } from "./read-runs.ts";
import { openTaskReader, type TaskReader } from "./read-tasks.ts";
import { SCHEMA_VERSION } from "./schema.ts";
import { storageError } from "./storage-error.ts";
import { type ChunkReader, openChunkReader } from "./streams.ts";
import { openSweeper, type Sweeper } from "./sweep.ts";

/** An open database with its verbs. */
export interface Verbs extends OpenDatabase {
  readonly writer: BatchWriter;
  readonly reader: RunReader;
  readonly lister: RunLister;
  readonly sweep: Sweeper;
  readonly approvals: ApprovalLister;
  readonly tasks: TaskReader;
  readonly chunks: ChunkReader;
}

/** The ownership of a store and its one connection. */
export class StoreHandle {
  readonly #options: DatabaseOptions & { readonly path: string };
  #path: string;
  #lock: OwnerLock | null = null;
  #verbs: Verbs | null = null;
  #lost: (error: unknown) => void = () => {};

  constructor(options: DatabaseOptions & { readonly path: string }) {
    this.#options = options;
    this.#path = options.path;
  }

  get path(): string {
    return this.#path;
  }

  open(lost: (error: unknown) => void = () => {}): StoreInfo {
    this.#lost = lost;
    const isOwner = this.#lock !== null;
    try {
      this.#closeDatabase();
      this.#path = settlePath(this.#options.path);
      this.#lock ??= takeOwnership(this.#path);
      this.#verbs = prepareVerbs(
        openDatabase(this.#path, { ...this.#options, isReopened: isOwner }),
      );
      const { durability, incarnation, afterCrash } = this.#verbs;
      const schemaVersion = SCHEMA_VERSION;
      const location = this.#path;
      const info = { kind: "sqlite", location, durability, schemaVersion, incarnation, afterCrash };
      return this.#verbs.writer.tables.spreads.owes ? { ...info, owes: true } : info;
    } catch (error) {
      // An owner that waits for its disk to come back must find its store unowned by others.
      if (isOwner) this.#abandon();
      else this.close();
      throw storageError(error, this.#path);
    }
  }

  /** Gives everything back. Idempotent. */
  close(): void {
    this.#giveBack();
    this.#abandon();
    this.#lock?.release();
    this.#lock = null;
  }

  /** Writes a batch; whoever gets the error knows that the store is lost. */
  commit(batch: Batch): BatchAnswer {
    return this.#guarded(({ writer }) => writer.commit(batch));
  }

  /** Carries out another verb, and tells when it has closed the store. */
  use<T>(verb: (verbs: Verbs) => T): T {
    const wasOpen = this.#verbs !== null;
    try {
      return this.#guarded(verb);
    } catch (error) {
      if (wasOpen && this.#verbs === null) this.#lost(error);
      throw error;
    }
  }

  // What the storage throws ends the use of this connection: its state is not known.
  #guarded<T>(verb: (verbs: Verbs) => T): T {
    if (this.#verbs === null) throw new ClawError("CLAW-4006", `${this.#path} is not open`);
    try {
      return verb(this.#verbs);
    } catch (error) {
      // What is coded already is an answer, not a broken connection.
      if (!isClawError(error)) this.#abandon();
      throw storageError(error, this.#path);
    }
  }

  #giveBack(): void {
    try {
      if (this.#verbs?.db.isOpen === true) giveBack(this.#verbs.db);
    } catch {
      // What cannot be given back is found by the next owner, as after a crash.
    }
  }

  #closeDatabase(): void {
    const { db } = this.#verbs ?? {};
    this.#verbs = null;
    if (db?.isOpen === true) db.close();
  }

  #abandon(): void {
    try {
      this.#closeDatabase();
    } catch {
      // The error that led here says more than that closing failed as well.
    }
  }
}

function prepareVerbs(database: OpenDatabase): Verbs {
  const { db } = database;
  try {
    const writer = openBatchWriter(db);
    const tailOf = (run: string): string => writer.tables.journals.tailOf(run);
    const { keys, streams, traces } = writer.tables;
    return {
      ...database,
      writer,
      reader: openRunReader(
        db,
        tailOf,
        (run) => streams.headsOf(run),
        (run) => keys.of(run),
        (run) => traces.of(run),
      ),
      lister: openRunLister(db, tailOf),
      tasks: openTaskReader(db),
      chunks: openChunkReader(db),
      approvals: openApprovalLister(db),
      sweep: openSweeper(db, writer.tables.log),
    };
  } catch (error) {
    db.close();
    throw error;
  }
}
