/**
 * The queues of keys and their states. A run that waits is held as "queued"; whoever takes the key from its head, or
 * the head from its key, wakes the next one at once, so that each waiting run is owed its wake-up by exactly one
 * head. Functions that may wake runs answer their ids.
 */
export const KEY_FUNCTIONS = `
-- Where a run stands, with the lock on its key: of a run without one all is null.
CREATE FUNCTION claw.keyed(run_id text) RETURNS claw.keyed_runs LANGUAGE plpgsql AS $$
DECLARE
  m claw.keyed_runs;
BEGIN
  SELECT * INTO m FROM claw.keyed_runs WHERE run = run_id;
  IF NOT FOUND THEN RETURN NULL; END IF;
  PERFORM claw.lock_key(m.namespace, m.workflow, m.key);
  -- Others may have moved it before the lock was free.
  SELECT * INTO m FROM claw.keyed_runs WHERE run = run_id;
  RETURN m;
END $$;

-- Whether a run, or one that waits for it, stands in the queue of a key.
CREATE FUNCTION claw.holds_key(run_id text, ns text, wf text, k text) RETURNS boolean
LANGUAGE sql AS $$
  WITH RECURSIVE line (run) AS (
    SELECT run_id COLLATE "C"
    UNION SELECT r.parent_run FROM line JOIN claw.runs r ON r.id = line.run WHERE r.parent_run <> ''
  )
  SELECT EXISTS (SELECT 1 FROM line JOIN claw.keyed_runs m ON m.run = line.run
    WHERE m.place <> 'ended' AND m.namespace = ns AND m.workflow = wf AND m.key = k)
$$;

CREATE FUNCTION claw.step_aside(run_id text, ns text, wf text, k text) RETURNS void
LANGUAGE sql AS $$
  UPDATE claw.keyed_runs SET place = 'aside', passes = passes + 1 WHERE run = run_id;
  UPDATE claw.keys SET head = '', head_since = 0 WHERE namespace = ns AND workflow = wf AND key = k
$$;

-- Gives a key that nobody has to the next run. A held one has it although it cannot go on, unless others
-- wait and it is to be skipped.
CREATE FUNCTION claw.pass_on(ns text, wf text, k text, now_ms bigint) RETURNS text[]
LANGUAGE plpgsql AS $$
DECLARE
  next record;
  left_waiting integer;
BEGIN
  LOOP
    SELECT m.run, m.on_held_head, r.held INTO next
    FROM claw.keyed_runs m JOIN claw.runs r ON r.id = m.run
    WHERE m.namespace = ns AND m.workflow = wf AND m.key = k AND m.place = 'waiting'
    ORDER BY m.seq LIMIT 1 FOR NO KEY UPDATE OF r;
    EXIT WHEN NOT FOUND;
    UPDATE claw.keyed_runs SET place = 'head' WHERE run = next.run;
    UPDATE claw.keys SET head = next.run, head_since = now_ms, waiting = waiting - 1
    WHERE namespace = ns AND workflow = wf AND key = k RETURNING waiting INTO left_waiting;
    IF next.held = 'queued' THEN
      UPDATE claw.runs SET held = '', held_reason = '', due = CASE WHEN owner IS NULL THEN 1 ELSE 0 END
      WHERE id = next.run;
      RETURN ARRAY[next.run];
    END IF;
    IF next.on_held_head = 'block' OR left_waiting = 0 THEN RETURN '{}'; END IF;
    PERFORM claw.step_aside(next.run, ns, wf, k);
  END LOOP;
  DELETE FROM claw.keys WHERE namespace = ns AND workflow = wf AND key = k;
  RETURN '{}';
END $$;

-- Lets others past a head that is held, if there are others.
CREATE FUNCTION claw.let_past(ns text, wf text, k text, now_ms bigint) RETURNS text[]
LANGUAGE plpgsql AS $$
DECLARE
  known record;
BEGIN
  SELECT head, waiting INTO known FROM claw.keys WHERE namespace = ns AND workflow = wf AND key = k;
  IF NOT FOUND OR known.waiting = 0 OR NOT EXISTS (
    SELECT 1 FROM claw.keyed_runs m JOIN claw.runs r ON r.id = m.run
    WHERE m.run = known.head AND m.on_held_head = 'skip' AND r.held <> '') THEN
    RETURN '{}';
  END IF;
  PERFORM claw.step_aside(known.head, ns, wf, k);
  RETURN claw.pass_on(ns, wf, k, now_ms);
END $$;

-- Queues a new run whose row is written next: {"place"}, or {"r": [refused]}.
CREATE FUNCTION claw.enter_key(r jsonb, now_ms bigint) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  ns text := r->>'namespace';
  wf text := r->>'workflow';
  k text := r->'keyed'->>'key';
  known record;
  is_free boolean;
  why text;
  number integer;
BEGIN
  PERFORM claw.lock_key(ns, wf, k);
  INSERT INTO claw.keys VALUES (ns, wf, k, 0, '', 0, 0, 0) ON CONFLICT DO NOTHING;
  SELECT head, waiting, turn_ms INTO known FROM claw.keys
  WHERE namespace = ns AND workflow = wf AND key = k;
  is_free := known.head = '';
  IF NOT is_free THEN
    IF claw.holds_key(r->>'parentRun', ns, wf, k) THEN why := 'deadlock';
    ELSIF known.waiting >= (r->'keyed'->>'waitingMax')::bigint THEN why := 'mailbox';
    END IF;
    IF why IS NOT NULL THEN
      -- 100 ms to 60 s: see retryAfterMs in core/protocol.
      RETURN jsonb_build_object('r', jsonb_build_array(jsonb_build_object('run', r->>'id',
        'workflow', wf, 'key', k, 'why', why, 'retryAfterMs', CASE WHEN why = 'deadlock' THEN 0
          ELSE least(greatest(known.turn_ms, 100), 60000) END)));
    END IF;
  END IF;
  UPDATE claw.keys SET last_seq = last_seq + 1,
    waiting = waiting + CASE WHEN is_free THEN 0 ELSE 1 END,
    head = CASE WHEN is_free THEN r->>'id' ELSE head END,
    head_since = CASE WHEN is_free THEN now_ms ELSE head_since END
  WHERE namespace = ns AND workflow = wf AND key = k RETURNING last_seq INTO number;
  INSERT INTO claw.keyed_runs VALUES (r->>'id', ns, wf, k, number,
    CASE WHEN is_free THEN 'head' ELSE 'waiting' END, 0, (r->'keyed'->>'waitingMax')::bigint,
    r->'keyed'->>'onHeldHead');
  RETURN jsonb_build_object('place', CASE WHEN is_free THEN 'head' ELSE 'waiting' END);
END $$;

-- The row of a queued run is written: it has its key, or may be let past a held head. Woken runs.
CREATE FUNCTION claw.entered_key(r jsonb, entered jsonb, now_ms bigint) RETURNS text[]
LANGUAGE sql AS $$
  SELECT CASE WHEN entered->>'place' = 'head' THEN ARRAY[r->>'id']
    ELSE claw.let_past(r->>'namespace', r->>'workflow', r->'keyed'->>'key', now_ms) END
$$;

-- Creates a run of a key and queues it; null when its id is known, else {"r": [refused]} or {"w": woken}.
CREATE FUNCTION claw.create_keyed(r jsonb, now_ms bigint) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  entered jsonb;
BEGIN
  IF EXISTS (SELECT 1 FROM claw.runs WHERE id = r->>'id')
    OR EXISTS (SELECT 1 FROM claw.closed WHERE id = r->>'id') THEN RETURN NULL; END IF;
  entered := claw.enter_key(r, now_ms);
  IF entered ? 'r' THEN RETURN entered; END IF;
  INSERT INTO claw.runs (id, namespace, workflow, version, started_at, parent_run, parent_call,
    cause, input, due, held)
  VALUES (r->>'id', r->>'namespace', r->>'workflow', (r->>'version')::int,
    (r->>'startedAt')::bigint, r->>'parentRun', r->>'parentCall', r->>'cause', r->>'input',
    CASE WHEN entered->>'place' = 'head' THEN 1 END,
    CASE WHEN entered->>'place' = 'head' THEN '' ELSE 'queued' END);
  PERFORM claw.put_trace(r);
  RETURN jsonb_build_object('w', claw.entered_key(r, entered, now_ms));
END $$;

-- A run has ended: it leaves the queue.
CREATE FUNCTION claw.leave_key(run_id text, now_ms bigint) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
  m claw.keyed_runs := claw.keyed(run_id);
BEGIN
  IF m.run IS NULL THEN
    RAISE EXCEPTION '% is in the queue of no key', run_id USING ERRCODE = 'CL001';
  END IF;
  IF m.place = 'ended' THEN RETURN '{}'; END IF;
  UPDATE claw.keyed_runs SET place = 'ended' WHERE run = run_id;
  IF m.place = 'waiting' THEN
    UPDATE claw.keys SET waiting = waiting - 1
    WHERE namespace = m.namespace AND workflow = m.workflow AND key = m.key;
  END IF;
  IF m.place <> 'head' THEN RETURN '{}'; END IF;
  -- The time that runs hold the key, smoothed: see smoothedTurnMs in core/protocol.
  UPDATE claw.keys SET head = '', turn_ms = round(CASE WHEN turn_ms = 0
      THEN greatest(1, now_ms - head_since)
      ELSE (turn_ms * 7 + greatest(1, now_ms - head_since)) / 8.0 END)
  WHERE namespace = m.namespace AND workflow = m.workflow AND key = m.key;
  RETURN claw.pass_on(m.namespace, m.workflow, m.key, now_ms);
END $$;

-- A run was held: others may be let past.
CREATE FUNCTION claw.key_held(run_id text, now_ms bigint) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
  m claw.keyed_runs := claw.keyed(run_id);
BEGIN
  IF m.place IS DISTINCT FROM 'head' THEN RETURN '{}'; END IF;
  RETURN claw.let_past(m.namespace, m.workflow, m.key, now_ms);
END $$;

-- A run was told to stop: it waits no longer, unless it has begun. What has begun may have steps to undo.
CREATE FUNCTION claw.key_cancelled(run_id text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  m claw.keyed_runs := claw.keyed(run_id);
BEGIN
  IF m.place IS DISTINCT FROM 'waiting' OR m.passes > 0 THEN RETURN; END IF;
  UPDATE claw.runs SET held = '', held_reason = '', due = CASE WHEN owner IS NULL THEN 1 ELSE 0 END
  WHERE id = run_id AND held = 'queued';
  IF NOT FOUND THEN RETURN; END IF;
  UPDATE claw.keyed_runs SET place = 'ended' WHERE run = run_id;
  UPDATE claw.keys SET waiting = waiting - 1
  WHERE namespace = m.namespace AND workflow = m.workflow AND key = m.key;
END $$;

-- Queues a held run that is released and does not have its key; null for any other run.
CREATE FUNCTION claw.key_release(run_id text, now_ms bigint) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
  m claw.keyed_runs := claw.keyed(run_id);
BEGIN
  IF m.run IS NULL OR m.place NOT IN ('waiting', 'aside') THEN RETURN NULL; END IF;
  UPDATE claw.runs SET held = 'queued', held_reason = '', due = NULL, recoveries = 0
  WHERE id = run_id AND held <> '';
  IF m.place = 'waiting' THEN
    -- Told to stop while it was paused, before it ever began.
    IF EXISTS (SELECT 1 FROM claw.inbox WHERE run = run_id AND kind = 'cancel') THEN
      PERFORM claw.key_cancelled(run_id);
    END IF;
    RETURN '{}';
  END IF;
  -- Its number, and not the time of its release, says when its turn is.
  UPDATE claw.keyed_runs SET place = 'waiting' WHERE run = run_id;
  INSERT INTO claw.keys VALUES (m.namespace, m.workflow, m.key, m.seq, '', 0, 0, 0)
  ON CONFLICT DO NOTHING;
  UPDATE claw.keys SET waiting = waiting + 1
  WHERE namespace = m.namespace AND workflow = m.workflow AND key = m.key;
  IF EXISTS (SELECT 1 FROM claw.keys WHERE namespace = m.namespace AND workflow = m.workflow
    AND key = m.key AND head = '') THEN
    RETURN claw.pass_on(m.namespace, m.workflow, m.key, now_ms);
  END IF;
  RETURN claw.let_past(m.namespace, m.workflow, m.key, now_ms);
END $$;

-- Sets the state of the key that a run has; empty for none. The bytes of a large one before go.
CREATE FUNCTION claw.set_key_state(run_id text, change jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  m record;
  before text;
  blob text;
BEGIN
  SELECT k.* INTO m FROM claw.keyed_runs r JOIN claw.keys k USING (namespace, workflow, key)
  WHERE r.run = run_id AND k.head = run_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION '% does not have a key', run_id USING ERRCODE = 'CL001';
  END IF;
  SELECT state INTO before FROM claw.key_states
  WHERE namespace = m.namespace AND workflow = m.workflow AND key = m.key;
  blob := substring(before FROM '^~[^:]*@[0-9]+:[^/]*/(.*)$');
  IF blob IS NOT NULL AND before <> change->>'state' THEN
    DELETE FROM claw.blobs WHERE run = change->>'owner' AND id = blob;
  END IF;
  IF change->>'state' = '' THEN
    DELETE FROM claw.key_states
    WHERE namespace = m.namespace AND workflow = m.workflow AND key = m.key;
  ELSE
    INSERT INTO claw.key_states VALUES (m.namespace, m.workflow, m.key, change->>'state')
    ON CONFLICT (namespace, workflow, key) DO UPDATE SET state = excluded.state;
  END IF;
END $$;

-- Creates a run: null when its id is known, else {} with "s" (it is this node's), "w" (it has its key) or "r" (refused).
CREATE FUNCTION claw.start_run(n jsonb, inc bigint, now_ms bigint) RETURNS jsonb
LANGUAGE plpgsql AS $$
BEGIN
  IF n->'row' ? 'keyed' THEN RETURN claw.create_keyed(n->'row', now_ms); END IF;
  IF NOT claw.create_run(n->'row', (n->>'due')::bigint, inc) THEN RETURN NULL; END IF;
  IF n->>'due' <> '0' THEN RETURN '{}'; END IF;
  RETURN jsonb_build_object('s', jsonb_build_array(n->'row'->>'id'));
END $$;

-- What a run starts itself: whoever waits for it is told what became of it. The text of a refusal comes with it,
-- and its number of milliseconds is put in. Adds "d", the message.
CREATE FUNCTION claw.start_other(t jsonb, n jsonb, inc bigint, now_ms bigint) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
  outcome jsonb := claw.start_run(n, inc, now_ms);
  r jsonb := n->'row';
  call text := t->'rare'->'answers'->>(n->'row'->>'id');
  refused jsonb := outcome->'r'->0;
  data text;
  told jsonb;
BEGIN
  IF outcome IS NULL OR (refused IS NULL AND call IS NULL) THEN RETURN coalesce(outcome, '{}'); END IF;
  data := CASE WHEN refused IS NULL
    THEN '{"status":"completed","output":' || to_json(to_json(r->>'id')::text) || '}'
    ELSE replace(n->'refusals'->>(refused->>'why'), n->'refusals'->>'mark', refused->>'retryAfterMs') END;
  IF call IS NOT NULL THEN
    told := claw.tell(jsonb_build_object('to', t->>'run', 'kind', 'start', 'name', call,
      'from', r->>'id', 'data', data));
  ELSIF r->>'parentRun' <> '' THEN
    told := claw.tell(jsonb_build_object('to', r->>'parentRun', 'kind', 'child',
      'name', r->>'parentCall', 'from', r->>'id', 'data', data));
  END IF;
  IF told IS NOT NULL THEN outcome := outcome || jsonb_build_object('d', jsonb_build_array(told)); END IF;
  RETURN outcome;
END $$;
`;
