import type { DatabaseSync } from "node:sqlite";
import { ClawError } from "@claw/core/protocol";

/** "CLAW" in ASCII: tells a store from any other SQLite file (`PRAGMA application_id`). */
const APPLICATION_ID = 0x434c4157;

/**
 * Forward-only migrations; the one at index n leads from schema version n to n + 1. A published one is
 * never changed.
 *
 * Rows are kept in the order of run ids, which is the order of time, so that what is written together
 * lies together. `runs.due` is 0 while the owning process holds the run: those rows need no
 * index, because they are looked for only after an owner has ended.
 */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  INSERT INTO meta VALUES ('incarnation', 0);

  CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    namespace TEXT NOT NULL,
    workflow TEXT NOT NULL,
    version INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    parent_run TEXT NOT NULL DEFAULT '',
    parent_call TEXT NOT NULL DEFAULT '',
    cause TEXT NOT NULL DEFAULT '',
    seq INTEGER NOT NULL DEFAULT 0,
    inbox_seq INTEGER NOT NULL DEFAULT 0,
    due INTEGER DEFAULT 0,
    waits INTEGER NOT NULL DEFAULT 0,
    held TEXT NOT NULL DEFAULT '',
    held_reason TEXT NOT NULL DEFAULT '',
    input TEXT NOT NULL,
    CONSTRAINT no_run_is_stranded CHECK (due IS NOT NULL OR waits > 0 OR held <> '')
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX runs_due ON runs (due) WHERE due > 0;
  CREATE INDEX runs_held ON runs (held) WHERE held <> '';

  CREATE TABLE journal (
    run TEXT NOT NULL,
    seq INTEGER NOT NULL,
    entries TEXT NOT NULL,
    PRIMARY KEY (run, seq)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE tail (
    n INTEGER PRIMARY KEY,
    body TEXT NOT NULL
  ) STRICT;

  CREATE TABLE closed (
    id TEXT PRIMARY KEY,
    namespace TEXT NOT NULL,
    workflow TEXT NOT NULL,
    version INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    parent_run TEXT NOT NULL DEFAULT '',
    parent_call TEXT NOT NULL DEFAULT '',
    cause TEXT NOT NULL DEFAULT '',
    status TEXT NOT NULL,
    ended_at INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    error TEXT,
    abandoned TEXT,
    input TEXT NOT NULL,
    output TEXT NOT NULL,
    journal TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX closed_badly ON closed (status) WHERE status <> 'completed';

  CREATE TABLE inbox (
    run TEXT NOT NULL,
    seq INTEGER NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    sender TEXT NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (run, seq)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE waits (
    key TEXT NOT NULL,
    run TEXT NOT NULL,
    call TEXT NOT NULL,
    PRIMARY KEY (key, run, call)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX waits_run ON waits (run, call);

  CREATE TABLE shapes (
    namespace TEXT NOT NULL,
    type TEXT NOT NULL,
    shape TEXT NOT NULL,
    PRIMARY KEY (namespace, type, shape)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    namespace TEXT NOT NULL,
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    subject TEXT,
    time INTEGER NOT NULL,
    logged_at INTEGER NOT NULL,
    data TEXT NOT NULL,
    UNIQUE (namespace, source, id)
  ) STRICT;
  CREATE INDEX events_type ON events (namespace, type);

  CREATE TABLE event_keys (
    key TEXT NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (key, seq)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE dedup (
    scope TEXT PRIMARY KEY,
    run TEXT NOT NULL,
    print TEXT NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX dedup_expiry ON dedup (expires_at);
  `,
  `
  ALTER TABLE runs ADD COLUMN phase TEXT NOT NULL DEFAULT '';
  `,
  `
  ALTER TABLE runs ADD COLUMN recoveries INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX runs_suspect ON runs (recoveries) WHERE recoveries > 1;
  `,
  `
  CREATE TABLE attributes (
    run TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    words TEXT NOT NULL,
    PRIMARY KEY (run, name)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX attributes_words ON attributes (name, words, run);
  `,
  `
  INSERT INTO meta VALUES ('task_id', 0), ('task_salt', abs(random() % 4503599627370496));

  CREATE TABLE task_blocks (
    id INTEGER PRIMARY KEY,
    namespace TEXT NOT NULL,
    queue TEXT NOT NULL,
    rank INTEGER NOT NULL,
    name TEXT NOT NULL,
    count INTEGER NOT NULL,
    added_at INTEGER NOT NULL,
    inputs TEXT NOT NULL
  ) STRICT;
  CREATE INDEX task_blocks_order ON task_blocks (namespace, queue, rank, id, name);

  CREATE TABLE task_marks (
    block INTEGER PRIMARY KEY,
    done TEXT NOT NULL
  ) STRICT;

  CREATE TABLE task_aside (
    id INTEGER PRIMARY KEY,
    namespace TEXT NOT NULL,
    queue TEXT NOT NULL,
    rank INTEGER NOT NULL,
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    due INTEGER NOT NULL,
    added_at INTEGER NOT NULL,
    input TEXT NOT NULL,
    output TEXT NOT NULL,
    progress TEXT NOT NULL,
    error TEXT
  ) STRICT;
  CREATE INDEX task_aside_due ON task_aside (namespace, queue, due, name) WHERE status = 'waiting';
  CREATE INDEX task_aside_ended ON task_aside (status, id) WHERE status <> 'waiting';
  `,
  `
  CREATE TABLE approvals (
    run TEXT NOT NULL,
    call TEXT NOT NULL,
    namespace TEXT NOT NULL,
    title TEXT NOT NULL,
    form TEXT NOT NULL,
    assignees TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    PRIMARY KEY (run, call)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE INDEX runs_parent ON runs (parent_run) WHERE parent_run <> '';
  `,
  `
  CREATE TABLE generations (
    run TEXT NOT NULL,
    generation INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    input TEXT NOT NULL,
    journal TEXT NOT NULL,
    PRIMARY KEY (run, generation)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE blobs (
    run TEXT NOT NULL,
    id TEXT NOT NULL,
    n INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    UNIQUE (run, id, n)
  ) STRICT;
  `,
  `
  CREATE TABLE streams (
    run TEXT NOT NULL,
    name TEXT NOT NULL,
    chunks INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    last INTEGER NOT NULL,
    closed INTEGER NOT NULL,
    PRIMARY KEY (run, name)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE chunks (
    run TEXT NOT NULL,
    seq INTEGER NOT NULL,
    stream TEXT NOT NULL,
    count INTEGER NOT NULL,
    call TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    first INTEGER NOT NULL,
    at INTEGER NOT NULL,
    data TEXT NOT NULL,
    UNIQUE (run, seq)
  ) STRICT;
  `,
  `
  CREATE TABLE keys (
    namespace TEXT NOT NULL,
    workflow TEXT NOT NULL,
    key TEXT NOT NULL,
    last_seq INTEGER NOT NULL,
    head TEXT NOT NULL,
    head_since INTEGER NOT NULL,
    waiting INTEGER NOT NULL,
    turn_ms INTEGER NOT NULL,
    PRIMARY KEY (namespace, workflow, key)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE key_states (
    namespace TEXT NOT NULL,
    workflow TEXT NOT NULL,
    key TEXT NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (namespace, workflow, key)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE keyed_runs (
    run TEXT PRIMARY KEY,
    namespace TEXT NOT NULL,
    workflow TEXT NOT NULL,
    key TEXT NOT NULL,
    seq INTEGER NOT NULL,
    place TEXT NOT NULL,
    passes INTEGER NOT NULL,
    waiting_max INTEGER NOT NULL,
    on_held_head TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX keyed_runs_waiting ON keyed_runs (namespace, workflow, key, seq)
    WHERE place = 'waiting';
  `,
  `
  CREATE TABLE traces (
    run TEXT PRIMARY KEY,
    trace TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  ALTER TABLE waits ADD COLUMN beyond INTEGER NOT NULL DEFAULT 0;
  CREATE TABLE spreads (
    seq INTEGER NOT NULL,
    key TEXT NOT NULL,
    note TEXT NOT NULL,
    run TEXT NOT NULL DEFAULT '',
    call TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (seq, key)
  ) STRICT, WITHOUT ROWID;
  `,
];

/** Version of the schema that this code writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/**
 * Recognises the file before anything is written to it: an empty file, or a store of this or an older version.
 * Errors: CLAW-4003 written by a newer version, CLAW-4008 another program's database.
 */
export function recogniseStore(db: DatabaseSync, path: string): number {
  const application = pragmaNumber(db, "application_id");
  const version = pragmaNumber(db, "user_version");
  if (application === 0 && version === 0 && isEmpty(db)) return 0;
  if (application !== APPLICATION_ID) {
    throw new ClawError("CLAW-4008", `${path} is a SQLite database of another program`);
  }
  if (version > SCHEMA_VERSION) {
    throw new ClawError(
      "CLAW-4003",
      `${path} has schema version ${version}, this program knows versions up to ${SCHEMA_VERSION}`,
    );
  }
  return version;
}

/** Brings the schema from `version` to SCHEMA_VERSION in one transaction. */
export function migrate(db: DatabaseSync, version: number): void {
  if (version === SCHEMA_VERSION) return;
  db.exec("BEGIN IMMEDIATE");
  for (const migration of MIGRATIONS.slice(version)) db.exec(migration);
  db.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
  db.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
  db.exec("COMMIT");
}

/** The value of a pragma that answers one number. */
export function pragmaNumber(db: DatabaseSync, name: string): number {
  return Number(Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0]);
}

function isEmpty(db: DatabaseSync): boolean {
  return db.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get() === undefined;
}
