/**
 * Functions that write single runs: messages to them, their journals, their creation and their end.
 * CL001 is a contradiction: the item is refused alone, as poison.
 */
export const RUN_FUNCTIONS = `
-- Puts a message into the inbox of an open run; null when there is none. A parked run becomes due at once,
-- one in memory (0) and a held one stay as they are. "o" is who holds it.
CREATE FUNCTION claw.tell(message jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  number integer;
  holder bigint;
BEGIN
  -- A run that asks again for what lies there already: to cancel.
  IF message->>'kind' = 'cancel' AND message->>'from' <> '' AND EXISTS
    (SELECT 1 FROM claw.inbox WHERE run = message->>'to' AND kind = 'cancel') THEN RETURN NULL; END IF;
  UPDATE claw.runs SET
    inbox_seq = inbox_seq + 1,
    due = CASE WHEN due = 0 OR held <> '' THEN due ELSE 1 END
  WHERE id = message->>'to' RETURNING inbox_seq, owner INTO number, holder;
  IF NOT FOUND THEN RETURN NULL; END IF;
  INSERT INTO claw.inbox VALUES (message->>'to', number, message->>'kind', message->>'name',
    message->>'from', message->>'data');
  IF message->>'kind' = 'cancel' THEN PERFORM claw.key_cancelled(message->>'to'); END IF;
  IF holder IS NULL THEN RETURN message || jsonb_build_object('seq', number); END IF;
  RETURN message || jsonb_build_object('seq', number, 'o', holder);
END $$;

-- Remembers the trace of a run that begins, if one came with it.
CREATE FUNCTION claw.put_trace(r jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF r ? 'trace' THEN
    INSERT INTO claw.traces VALUES (r->>'id', r->>'trace') ON CONFLICT DO NOTHING;
  END IF;
END $$;

-- Creates a run that another or an event starts; false when its id is known, open or closed.
CREATE FUNCTION claw.create_run(r jsonb, due_at bigint, inc bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO claw.runs (id, namespace, workflow, version, started_at, parent_run, parent_call,
    cause, input, owner, due)
  SELECT r->>'id', r->>'namespace', r->>'workflow', (r->>'version')::int, (r->>'startedAt')::bigint,
    r->>'parentRun', r->>'parentCall', r->>'cause', r->>'input',
    CASE WHEN due_at = 0 THEN inc END, due_at
  WHERE NOT EXISTS (SELECT 1 FROM claw.closed WHERE id = r->>'id')
  ON CONFLICT (id) DO NOTHING;
  IF NOT FOUND THEN RETURN false; END IF;
  PERFORM claw.put_trace(r);
  RETURN true;
END $$;

-- Appends entries to the rows of an open run.
CREATE FUNCTION claw.append_entries(run_id text, first_seq int, last_seq int, body text)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  known integer;
BEGIN
  SELECT seq INTO known FROM claw.runs WHERE id = run_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION '% is not an open run', run_id USING ERRCODE = 'CL001';
  END IF;
  IF first_seq <> known + 1 THEN
    RAISE EXCEPTION 'entry % of % does not follow entry %', first_seq, run_id, known
      USING ERRCODE = 'CL001';
  END IF;
  INSERT INTO claw.journal VALUES (run_id, first_seq, body);
  UPDATE claw.runs SET seq = last_seq WHERE id = run_id;
END $$;

-- The part of a journal's text before an entry: see entriesBefore in core/protocol.
CREATE FUNCTION claw.entries_before(body text, first_seq int, before int) RETURNS text
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  record text;
  kept text := '';
  next integer := first_seq;
  step integer;
BEGIN
  FOREACH record IN ARRAY string_to_array(rtrim(body, E'\\x1e'), E'\\x1e') LOOP
    EXIT WHEN next >= before;
    step := CASE WHEN left(record, 1) = '-' THEN substr(record, 2)::int ELSE 1 END;
    IF next + step > before THEN
      RETURN kept || '-' || (before - next) || E'\\x1e';
    END IF;
    kept := kept || record || E'\\x1e';
    next := next + step;
  END LOOP;
  RETURN kept;
END $$;

-- Entries from a number on go, others take their place.
CREATE FUNCTION claw.replace_entries(run_id text, first_seq int, last_seq int, body text)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  known integer;
  last record;
  kept text;
BEGIN
  SELECT seq INTO known FROM claw.runs WHERE id = run_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION '% is not an open run', run_id USING ERRCODE = 'CL001';
  END IF;
  IF first_seq > known + 1 THEN
    RAISE EXCEPTION 'entry % of % does not follow entry %', first_seq, run_id, known
      USING ERRCODE = 'CL001';
  END IF;
  DELETE FROM claw.journal WHERE run = run_id AND seq >= first_seq;
  SELECT seq, entries INTO last FROM claw.journal WHERE run = run_id ORDER BY seq DESC LIMIT 1;
  IF FOUND THEN
    kept := claw.entries_before(last.entries, last.seq, first_seq);
    IF kept <> last.entries THEN
      UPDATE claw.journal SET entries = kept WHERE run = run_id AND seq = last.seq;
    END IF;
  END IF;
  IF body <> '' THEN INSERT INTO claw.journal VALUES (run_id, first_seq, body); END IF;
  UPDATE claw.runs SET seq = last_seq WHERE id = run_id;
END $$;

-- Closes the journal of a run as that of a generation, and begins that of the next one, which gets back what was taken
-- and not seen.
CREATE FUNCTION claw.renew_run(run_id text, r jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO claw.generations (run, generation, ended_at, input, journal)
  SELECT id, (r->>'generation')::int, (r->>'endedAt')::bigint, input,
    coalesce((SELECT string_agg(entries, '' ORDER BY seq) FROM claw.journal WHERE run = run_id), '')
  FROM claw.runs WHERE id = run_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION '% is not an open run', run_id USING ERRCODE = 'CL001';
  END IF;
  UPDATE claw.runs SET input = r->>'input' WHERE id = run_id;
  PERFORM claw.replace_entries(run_id, 1, (r->>'seq')::int, r->>'journal');
  INSERT INTO claw.inbox
  SELECT run_id, (m->>'seq')::int, m->>'kind', m->>'name', m->>'from', m->>'data'
  FROM jsonb_array_elements(r->'inbox') m;
END $$;

-- Writes the closed row of a run and removes its open one with all messages.
CREATE FUNCTION claw.close_run(f jsonb, last_seq int, is_new boolean) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  r jsonb := f->'start';
  e jsonb := f->'ending';
  messages integer;
BEGIN
  INSERT INTO claw.closed (id, namespace, workflow, version, started_at, parent_run, parent_call,
    cause, input, status, ended_at, seq, error, abandoned, output, journal)
  VALUES (r->>'id', r->>'namespace', r->>'workflow', (r->>'version')::int,
    (r->>'startedAt')::bigint, r->>'parentRun', r->>'parentCall', r->>'cause', r->>'input',
    e->>'status', (e->>'endedAt')::bigint, last_seq, f->>'error', f->>'abandoned', e->>'output',
    f->>'journal');
  IF is_new THEN RETURN; END IF;
  DELETE FROM claw.runs WHERE id = r->>'id' RETURNING inbox_seq INTO messages;
  IF NOT FOUND THEN
    RAISE EXCEPTION '% is not an open run', r->>'id' USING ERRCODE = 'CL001';
  END IF;
  IF messages > 0 THEN DELETE FROM claw.inbox WHERE run = r->>'id'; END IF;
END $$;

-- Sets attributes of a run, merged with those that it has; null takes one away. Values come as
-- [name, JSON text or null, words].
CREATE FUNCTION claw.set_attributes(run_id text, changes jsonb, most int) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  change jsonb;
BEGIN
  FOR change IN SELECT * FROM jsonb_array_elements(changes) LOOP
    IF change->>1 IS NULL THEN
      DELETE FROM claw.attributes WHERE run = run_id AND name = change->>0;
    ELSE
      INSERT INTO claw.attributes VALUES (run_id, change->>0, change->>1, change->>2)
      ON CONFLICT (run, name) DO UPDATE SET value = excluded.value, words = excluded.words;
    END IF;
  END LOOP;
  IF (SELECT count(*) FROM claw.attributes WHERE run = run_id) > most THEN
    RAISE EXCEPTION '% has too many attributes', run_id USING ERRCODE = 'CL001';
  END IF;
END $$;

-- Writes what a transition adds to the streams of its run.
CREATE FUNCTION claw.write_streams(run_id text, changes jsonb) RETURNS void LANGUAGE sql AS $$
  INSERT INTO claw.chunks
  SELECT run_id, (b->>'seq')::int, b->>'stream', (b->>'count')::int, b->>'call',
    (b->>'attempt')::int, (b->>'first')::int, (b->>'at')::bigint, b->>'data'
  FROM jsonb_array_elements(changes->'blocks') b;
  INSERT INTO claw.streams
  SELECT run_id, h->>'name', (h->>'chunks')::int, (h->>'bytes')::bigint, (h->>'last')::int,
    (h->>'closed')::boolean
  FROM jsonb_array_elements(changes->'heads') h
  ON CONFLICT (run, name) DO UPDATE SET chunks = excluded.chunks, bytes = excluded.bytes,
    last = excluded.last, closed = excluded.closed
$$;

-- What an open or closed run of a namespace is to an operator: its hold ('' for none), or why not.
CREATE FUNCTION claw.look_up(run_id text, ns text, OUT held text, OUT why text) LANGUAGE plpgsql AS $$
BEGIN
  SELECT r.held INTO held FROM claw.runs r
  WHERE id = run_id AND namespace = coalesce(ns, namespace) FOR NO KEY UPDATE;
  IF FOUND THEN RETURN; END IF;
  why := CASE WHEN EXISTS (SELECT 1 FROM claw.closed
    WHERE id = run_id AND namespace = coalesce(ns, namespace)) THEN 'closed' ELSE 'unknown' END;
END $$;
`;
