/**
 * The tables, as schema version 1. Names are written as `claw.table`; `inSchema` puts the name of the
 * store's own schema there. Text that orders rows is compared byte by byte ("C"), as ids are meant to be.
 *
 * `runs.due` is 0 while a node holds the run, and `runs.owner` is then its incarnation.
 */
export const TABLES = `
CREATE TABLE claw.meta (
  name text PRIMARY KEY,
  value bigint NOT NULL
);
INSERT INTO claw.meta VALUES
  ('open', 0), ('task_id', 0), ('task_salt', floor(random() * 4503599627370496)::bigint);

CREATE TABLE claw.incarnations (
  id bigint PRIMARY KEY,
  state text NOT NULL CHECK (state IN ('live', 'ended')),
  batch bigint NOT NULL DEFAULT 0,
  began_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);

CREATE TABLE claw.runs (
  id text COLLATE "C" PRIMARY KEY,
  namespace text NOT NULL,
  workflow text NOT NULL,
  version integer NOT NULL,
  started_at bigint NOT NULL,
  parent_run text NOT NULL DEFAULT '',
  parent_call text NOT NULL DEFAULT '',
  cause text NOT NULL DEFAULT '',
  seq integer NOT NULL DEFAULT 0,
  inbox_seq integer NOT NULL DEFAULT 0,
  owner bigint,
  due bigint,
  waits integer NOT NULL DEFAULT 0,
  phase text NOT NULL DEFAULT '',
  recoveries integer NOT NULL DEFAULT 0,
  held text NOT NULL DEFAULT '',
  held_reason text NOT NULL DEFAULT '',
  input text NOT NULL,
  CONSTRAINT no_run_is_stranded CHECK (due IS NOT NULL OR waits > 0 OR held <> '')
) WITH (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX runs_due ON claw.runs (due, id) WHERE due > 0 AND held = '';
CREATE INDEX runs_held ON claw.runs (held, id) WHERE held <> '';
CREATE INDEX runs_suspect ON claw.runs (recoveries) WHERE recoveries > 1;
CREATE INDEX runs_parent ON claw.runs (parent_run) WHERE parent_run <> '';

CREATE TABLE claw.journal (
  run text COLLATE "C" NOT NULL,
  seq integer NOT NULL,
  entries text NOT NULL,
  PRIMARY KEY (run, seq)
) WITH (autovacuum_vacuum_scale_factor = 0.05);

CREATE TABLE claw.tail (
  incarnation bigint NOT NULL,
  n bigint NOT NULL,
  body text NOT NULL,
  PRIMARY KEY (incarnation, n)
);

CREATE TABLE claw.closed (
  id text COLLATE "C" PRIMARY KEY,
  namespace text NOT NULL,
  workflow text NOT NULL,
  version integer NOT NULL,
  started_at bigint NOT NULL,
  parent_run text NOT NULL DEFAULT '',
  parent_call text NOT NULL DEFAULT '',
  cause text NOT NULL DEFAULT '',
  status text NOT NULL,
  ended_at bigint NOT NULL,
  seq integer NOT NULL,
  error text,
  abandoned text,
  input text NOT NULL,
  output text NOT NULL,
  journal text
);
CREATE INDEX closed_badly ON claw.closed (status, id) WHERE status <> 'completed';

CREATE TABLE claw.inbox (
  run text COLLATE "C" NOT NULL,
  seq integer NOT NULL,
  kind text NOT NULL,
  name text NOT NULL,
  sender text NOT NULL,
  data text NOT NULL,
  PRIMARY KEY (run, seq)
) WITH (autovacuum_vacuum_scale_factor = 0.05);

CREATE TABLE claw.waits (
  key text COLLATE "C" NOT NULL,
  run text COLLATE "C" NOT NULL,
  call text COLLATE "C" NOT NULL,
  beyond bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (key, run, call)
);

CREATE TABLE claw.spreads (
  seq bigint NOT NULL,
  key text COLLATE "C" NOT NULL,
  note text NOT NULL,
  run text COLLATE "C" NOT NULL DEFAULT '',
  call text COLLATE "C" NOT NULL DEFAULT '',
  PRIMARY KEY (seq, key)
);
CREATE INDEX waits_run ON claw.waits (run, call);

CREATE TABLE claw.shapes (
  namespace text NOT NULL,
  type text NOT NULL,
  shape text NOT NULL
);
-- A shape may be longer than an index takes.
CREATE UNIQUE INDEX shapes_known ON claw.shapes (namespace, md5(type), md5(shape));

CREATE TABLE claw.events (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  namespace text NOT NULL,
  source text NOT NULL,
  id text NOT NULL,
  type text NOT NULL,
  subject text,
  time bigint NOT NULL,
  logged_at bigint NOT NULL,
  data text NOT NULL
);
CREATE UNIQUE INDEX events_known ON claw.events (namespace, id, source);
CREATE INDEX events_type ON claw.events (namespace, type, seq);

CREATE TABLE claw.event_keys (
  key text COLLATE "C" NOT NULL,
  seq bigint NOT NULL,
  PRIMARY KEY (key, seq)
);

CREATE TABLE claw.dedup (
  scope text COLLATE "C" PRIMARY KEY,
  run text NOT NULL,
  print text NOT NULL,
  expires_at bigint NOT NULL
);
CREATE INDEX dedup_expiry ON claw.dedup (expires_at);

CREATE TABLE claw.attributes (
  run text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  value text NOT NULL,
  words text NOT NULL,
  PRIMARY KEY (run, name)
);
CREATE INDEX attributes_words ON claw.attributes (name, words, run);

CREATE TABLE claw.approvals (
  run text COLLATE "C" NOT NULL,
  call text COLLATE "C" NOT NULL,
  namespace text NOT NULL,
  title text NOT NULL,
  form text NOT NULL,
  assignees jsonb NOT NULL,
  created_at bigint NOT NULL,
  expires_at bigint,
  PRIMARY KEY (run, call)
);

CREATE TABLE claw.generations (
  run text COLLATE "C" NOT NULL,
  generation integer NOT NULL,
  ended_at bigint NOT NULL,
  input text NOT NULL,
  journal text NOT NULL,
  PRIMARY KEY (run, generation)
);

CREATE TABLE claw.blobs (
  run text COLLATE "C" NOT NULL,
  id text NOT NULL,
  n integer NOT NULL,
  bytes bytea NOT NULL,
  PRIMARY KEY (run, id, n)
);

CREATE TABLE claw.streams (
  run text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  chunks integer NOT NULL,
  bytes bigint NOT NULL,
  last integer NOT NULL,
  closed boolean NOT NULL,
  PRIMARY KEY (run, name)
);

CREATE TABLE claw.chunks (
  run text COLLATE "C" NOT NULL,
  seq integer NOT NULL,
  stream text NOT NULL,
  count integer NOT NULL,
  call text NOT NULL,
  attempt integer NOT NULL,
  first integer NOT NULL,
  at bigint NOT NULL,
  data text NOT NULL,
  PRIMARY KEY (run, seq)
);

CREATE TABLE claw.keys (
  namespace text NOT NULL,
  workflow text NOT NULL,
  key text COLLATE "C" NOT NULL,
  last_seq integer NOT NULL,
  head text COLLATE "C" NOT NULL,
  head_since bigint NOT NULL,
  waiting integer NOT NULL,
  turn_ms bigint NOT NULL,
  PRIMARY KEY (namespace, workflow, key)
) WITH (fillfactor = 70);

CREATE TABLE claw.key_states (
  namespace text NOT NULL,
  workflow text NOT NULL,
  key text COLLATE "C" NOT NULL,
  state text NOT NULL,
  PRIMARY KEY (namespace, workflow, key)
);

CREATE TABLE claw.keyed_runs (
  run text COLLATE "C" PRIMARY KEY,
  namespace text NOT NULL,
  workflow text NOT NULL,
  key text COLLATE "C" NOT NULL,
  seq integer NOT NULL,
  place text NOT NULL,
  passes integer NOT NULL,
  waiting_max bigint NOT NULL,
  on_held_head text NOT NULL
);
CREATE INDEX keyed_runs_waiting ON claw.keyed_runs (namespace, workflow, key, seq)
  WHERE place = 'waiting';

CREATE TABLE claw.traces (
  run text COLLATE "C" PRIMARY KEY,
  trace text NOT NULL
);

CREATE TABLE claw.task_blocks (
  id bigint PRIMARY KEY,
  namespace text NOT NULL,
  queue text NOT NULL,
  rank integer NOT NULL,
  name text NOT NULL,
  count integer NOT NULL,
  added_at bigint NOT NULL,
  inputs text NOT NULL
);
CREATE INDEX task_blocks_order ON claw.task_blocks (namespace, queue, rank, id, name);

CREATE TABLE claw.task_marks (
  block bigint PRIMARY KEY,
  done text NOT NULL
);

CREATE TABLE claw.task_aside (
  id bigint PRIMARY KEY,
  namespace text NOT NULL,
  queue text NOT NULL,
  rank integer NOT NULL,
  name text NOT NULL,
  status text NOT NULL,
  attempt integer NOT NULL,
  due bigint NOT NULL,
  added_at bigint NOT NULL,
  input text NOT NULL,
  output text NOT NULL,
  progress text NOT NULL,
  error text
);
CREATE INDEX task_aside_due ON claw.task_aside (namespace, queue, due, name) WHERE status = 'waiting';
CREATE INDEX task_aside_ended ON claw.task_aside (status, id) WHERE status <> 'waiting';
`;
