import { constants, copyFileSync, existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { ClawError, isClawError } from "@claw/core/protocol";
import { findingsIn } from "../check.ts";
import { settlePath } from "../open-database.ts";
import { takeOwnership } from "../owner-lock.ts";
import { createPrivateFile } from "../private-file.ts";
import { migrate, recogniseStore, SCHEMA_VERSION } from "../schema.ts";
import { storageError } from "../storage-error.ts";
import { DAMAGES } from "./damages.ts";
import { pageDamage, repairEventIndex, repairIndexes } from "./repair-indexes.ts";
import { repairJournals } from "./repair-journals.ts";
import { repairKeys } from "./repair-keys.ts";

/** One thing that was wrong, and what was done about it. */
export interface RepairStep {
  readonly damage: string;
  readonly action: string;
}

/** What a repair did, or would do. */
export interface RepairReport {
  readonly path: string;
  readonly dryRun: boolean;
  /** The copy of the store as it was; null for a dry run, and where nothing was wrong. */
  readonly backup: string | null;
  readonly steps: readonly RepairStep[];
  /** Resting runs that look again at what they wait for: a wait for a signal has no row that could be checked. */
  readonly woken: number;
  /** What is wrong still. */
  readonly left: readonly string[];
}

/** Options of a repair. */
export interface RepairOptions {
  readonly path: string;
  /** Does everything and takes it back. */
  readonly dryRun: boolean;
  /** Where the store is copied to first; must not exist. */
  readonly backup: string;
}

/** Tells of a step. */
export type Tell = (damage: string, action: string) => void;

/** A repair may lay open what was hidden behind it; it comes to an end soon. */
const PASSES_MAX = 5;

/**
 * Makes rows of a store agree with each other again, in one transaction and after a copy was made of it. Nothing that a run
 * recorded is removed: a run whose journal is damaged is held as quarantined.
 * Errors: CLAW-4001 owned by another process, CLAW-4002 damage that only a backup mends, CLAW-4003, CLAW-4008,
 * CLAW-4010 the copy exists, CLAW-4004.
 */
export function repairStore({ path: given, dryRun, backup }: RepairOptions): RepairReport {
  if (!existsSync(given)) throw new ClawError("CLAW-4008", `There is no store at ${given}`);
  const path = settlePath(given);
  const lock = takeOwnership(path);
  let db: DatabaseSync | null = null;
  try {
    db = new DatabaseSync(path, { timeout: 1_000 });
    prepare(db, path, dryRun);
    return repair(db, { path, dryRun, backup });
  } catch (error) {
    throw isClawError(error) ? error : storageError(error, path);
  } finally {
    db?.close();
    lock.release();
  }
}

function prepare(db: DatabaseSync, path: string, dryRun: boolean): void {
  const version = recogniseStore(db, path);
  if (version === 0) throw new ClawError("CLAW-4008", `${path} is empty`);
  if (version < SCHEMA_VERSION) {
    if (dryRun) {
      throw new ClawError("CLAW-4008", `${path} has the older schema version ${version}`);
    }
    migrate(db, version);
  }
  db.exec("PRAGMA synchronous = FULL");
  // What the checks of rows forbid is what is to be found and mended.
  db.exec("PRAGMA ignore_check_constraints = ON");
}

function repair(db: DatabaseSync, { path, dryRun, backup }: RepairOptions): RepairReport {
  const { indexes, others } = pageDamage(db);
  if (others.length > 0) {
    const detail = `${path} has damaged pages: ${others[0]}`;
    throw new ClawError("CLAW-4002", detail, { details: { findings: others.slice(0, 20) } });
  }
  const found = attempt(db, indexes, false);
  const isSound = found.steps.length === 0 && found.woken === 0;
  if (dryRun || isSound) return { path, dryRun, backup: null, ...found };
  // Before the first change: the copy is of the store as it was found.
  copyStore(db, path, backup);
  return { path, dryRun, backup, ...attempt(db, indexes, true) };
}

function attempt(
  db: DatabaseSync,
  indexes: readonly string[],
  stays: boolean,
): Pick<RepairReport, "steps" | "woken" | "left"> {
  const steps: RepairStep[] = [];
  const tell: Tell = (damage, action) => void steps.push({ damage, action });
  db.exec("BEGIN IMMEDIATE");
  repairIndexes(db, indexes, tell);
  for (let pass = 0, before = -1; pass < PASSES_MAX && before !== steps.length; pass++) {
    before = steps.length;
    repairRows(db, tell);
    repairKeys(db, tell);
    repairJournals(db, tell);
    repairEventIndex(db, tell);
  }
  const woken = lookAgain(db);
  const left = findingsIn(db).map(({ message }) => message);
  db.exec(stays ? "COMMIT" : "ROLLBACK");
  return { steps, woken, left };
}

function repairRows(db: DatabaseSync, tell: Tell): void {
  for (const { find, fix, action } of DAMAGES) {
    if (fix.length === 0) continue;
    for (const { message, ...values } of db.prepare(find).all()) {
      for (const sql of fix) {
        const statement = db.prepare(sql);
        statement.setAllowUnknownNamedParameters(true);
        statement.run(values);
      }
      tell(String(message), action);
    }
  }
}

// Runs that rest for something besides time: whether a row that owes the wake is missing, only their code can say.
function lookAgain(db: DatabaseSync): number {
  const { changes } = db
    .prepare(`
      UPDATE runs SET due = 1 WHERE due IS NULL AND held = '' AND waits >
        (SELECT count(*) FROM waits WHERE run = runs.id)
        + (SELECT count(*) FROM approvals WHERE run = runs.id)
        + (SELECT count(*) FROM runs c WHERE c.parent_run = runs.id AND c.parent_run <> '')`)
    .run();
  return Number(changes);
}

// The file and its log, while nobody else can write.
function copyStore(db: DatabaseSync, path: string, backup: string): void {
  if (existsSync(backup)) throw new ClawError("CLAW-4010", `${backup} exists already`);
  db.prepare("PRAGMA wal_checkpoint(TRUNCATE)").all();
  createPrivateFile(backup);
  copyFileSync(path, backup, constants.COPYFILE_FICLONE);
  if (existsSync(`${path}-wal`)) copyFileSync(`${path}-wal`, `${backup}-wal`);
}
