/**
 * Functions that apply one part of a batch; each answers
 * {"a": answer} with "d", messages that came into inboxes, "s", ids of runs that were created for this node, "w", ids of
 * runs that have their key by now, and "r", runs that were not created; or the answer alone.
 */
export const ITEM_FUNCTIONS = `
CREATE FUNCTION claw.applied(parked boolean) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  SELECT jsonb_build_object('status', 'applied', 'parked', parked)
$$;

CREATE FUNCTION claw.refused(why text, detail text) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  SELECT jsonb_build_object('status', 'refused', 'why', why, 'detail', detail)
$$;

-- Remembers a request; the answer of a duplicate when an unexpired one stands in its scope.
CREATE FUNCTION claw.remember(d jsonb, for_run text, now_ms bigint) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
  first record;
BEGIN
  INSERT INTO claw.dedup VALUES (d->>'scope', for_run, d->>'print', (d->>'expiresAt')::bigint)
  ON CONFLICT (scope) DO UPDATE SET
    run = excluded.run, print = excluded.print, expires_at = excluded.expires_at
  WHERE dedup.expires_at <= now_ms;
  IF FOUND THEN RETURN NULL; END IF;
  SELECT run, print INTO first FROM claw.dedup WHERE scope = d->>'scope';
  RETURN jsonb_build_object('status', 'duplicate', 'run', coalesce(first.run, ''),
    'same', coalesce(first.print = d->>'print', false));
END $$;

-- What two parts of an item have brought about.
CREATE FUNCTION claw.joined(a jsonb, b jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN b IS NULL OR b = '{}' THEN a
    WHEN a = '{}' THEN b
    ELSE jsonb_strip_nulls(jsonb_build_object(
      'd', coalesce(a->'d' || (b->'d'), a->'d', b->'d'),
      's', coalesce(a->'s' || (b->'s'), a->'s', b->'s'),
      'w', coalesce(a->'w' || (b->'w'), a->'w', b->'w'),
      'r', coalesce(a->'r' || (b->'r'), a->'r', b->'r')))
  END
$$;

-- Logs an event, tells those who wait for it and creates what it triggers; null when it is known.
-- p.keys are its match keys under every known shape, p.note the text of its note after the number.
CREATE FUNCTION claw.publish(p jsonb, inc bigint, now_ms bigint) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
  e jsonb := p->'event';
  number bigint;
  match_key text;
  start jsonb;
  delivered jsonb[] := '{}';
  brought jsonb := '{}';
BEGIN
  INSERT INTO claw.events (namespace, source, id, type, subject, time, logged_at, data)
  VALUES (p->>'namespace', e->>'source', e->>'id', e->>'type', e->>'subject',
    (e->>'time')::bigint, (p->>'loggedAt')::bigint, e->>'data')
  ON CONFLICT (namespace, id, source) DO NOTHING RETURNING seq INTO number;
  IF number IS NULL THEN RETURN NULL; END IF;
  FOR match_key IN SELECT * FROM jsonb_array_elements_text(p->'keys') LOOP
    INSERT INTO claw.event_keys VALUES (match_key, number) ON CONFLICT DO NOTHING;
    delivered := delivered
      || claw.answer_key(match_key, number, '{"number":' || number || (p->>'note'));
  END LOOP;
  FOR start IN SELECT * FROM jsonb_array_elements(p->'starts') LOOP
    brought := claw.joined(brought, claw.start_run(start, inc, now_ms));
  END LOOP;
  RETURN claw.joined(brought, jsonb_build_object('d', to_jsonb(delivered)));
END $$;

-- Registers a subscription, or answers it at once from the log. While an event is on its way to many
-- calls, this one is none of them: it has looked back.
CREATE FUNCTION claw.subscribe(run_id text, w jsonb) RETURNS jsonb[] LANGUAGE plpgsql AS $$
DECLARE
  e record;
  owes boolean := EXISTS (SELECT 1 FROM claw.spreads);
  told jsonb;
  delivered jsonb[] := '{}';
BEGIN
  SELECT v.* INTO e FROM claw.event_keys k JOIN claw.events v ON v.seq = k.seq
  WHERE k.key = w->>'key' AND k.seq > (w->>'after')::bigint AND v.logged_at >= (w->>'since')::bigint
  ORDER BY k.seq LIMIT 1;
  IF NOT FOUND THEN
    INSERT INTO claw.waits VALUES (w->>'key', run_id, w->>'call', CASE WHEN owes THEN
      coalesce((SELECT max(seq) FROM claw.spreads WHERE key = w->>'key'), 0) ELSE 0 END)
    ON CONFLICT DO NOTHING;
    RETURN delivered;
  END IF;
  IF owes THEN
    DELETE FROM claw.waits WHERE run = run_id AND call = w->>'call';
    delivered := claw.settle_spreads(run_id, e.seq);
  END IF;
  told := claw.tell_event(run_id, w->>'call',
    '{"number":' || e.seq || ',"event":{"id":' || to_json(e.id) || ',"source":'
      || to_json(e.source) || ',"type":' || to_json(e.type)
      || CASE WHEN e.subject IS NULL THEN '' ELSE ',"subject":' || to_json(e.subject) END
      || ',"time":' || e.time || CASE WHEN e.data = '' THEN '' ELSE ',"data":' || e.data END
      || '}}');
  IF told IS NOT NULL THEN delivered := array_append(delivered, told); END IF;
  RETURN delivered;
END $$;

-- A transition of a run that is not finished: its row, entries and subscriptions.
CREATE FUNCTION claw.advance_run(t jsonb, inc bigint, now_ms bigint) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  run_id text := t->>'run';
  r jsonb := t->'start';
  park jsonb := t->'park';
  hold jsonb := t->'hold';
  body text := coalesce(t->>'entries', '');
  delivered jsonb[] := '{}';
  entered jsonb;
  woken text[] := '{}';
  w jsonb;
BEGIN
  IF r ? 'keyed' THEN
    -- A run of a key comes from another store, held: it joins the queue as if it were new.
    IF hold IS NULL THEN
      RAISE EXCEPTION '% must join the queue of its key', run_id USING ERRCODE = 'CL001';
    END IF;
    entered := claw.enter_key(r, now_ms);
    IF entered ? 'r' THEN
      RAISE EXCEPTION '% cannot join the queue of its key: %', run_id, entered->'r'->0->>'why'
        USING ERRCODE = 'CL001';
    END IF;
  END IF;
  IF r IS NOT NULL THEN
    INSERT INTO claw.runs (id, namespace, workflow, version, started_at, parent_run, parent_call,
      cause, input, seq, owner, due, waits, held, held_reason)
    VALUES (r->>'id', r->>'namespace', r->>'workflow', (r->>'version')::int,
      (r->>'startedAt')::bigint, r->>'parentRun', r->>'parentCall', r->>'cause', r->>'input',
      CASE WHEN body = '' THEN 0 ELSE (t->>'seq')::int END,
      CASE WHEN park IS NULL AND hold IS NULL THEN inc END,
      CASE WHEN hold IS NOT NULL THEN NULL WHEN park IS NOT NULL THEN (park->>'due')::bigint ELSE 0 END,
      CASE WHEN hold IS NULL THEN coalesce((park->>'waits')::int, 0) ELSE 0 END,
      coalesce(hold->>'kind', ''), coalesce(hold->>'reason', ''));
    IF body <> '' THEN
      IF (t->>'firstSeq')::int <> 1 THEN
        RAISE EXCEPTION 'the first entry of % is %', run_id, t->>'firstSeq' USING ERRCODE = 'CL001';
      END IF;
      INSERT INTO claw.journal VALUES (run_id, 1, body);
    END IF;
  ELSIF t->'rare' ? 'replaces' THEN
    PERFORM claw.replace_entries(run_id, (t->>'firstSeq')::int, (t->>'seq')::int, body);
  ELSIF body <> '' THEN
    PERFORM claw.append_entries(run_id, (t->>'firstSeq')::int, (t->>'seq')::int, body);
  END IF;
  IF t ? 'phase' THEN UPDATE claw.runs SET phase = t->>'phase' WHERE id = run_id; END IF;
  IF t ? 'acks' THEN
    DELETE FROM claw.inbox WHERE run = run_id
      AND seq IN (SELECT a::int FROM jsonb_array_elements_text(t->'acks') a);
  END IF;
  IF t ? 'unwaits' THEN
    DELETE FROM claw.waits WHERE run = run_id
      AND call IN (SELECT u FROM jsonb_array_elements_text(t->'unwaits') u);
  END IF;
  FOR w IN SELECT * FROM jsonb_array_elements(t->'waits') LOOP
    delivered := delivered || claw.subscribe(run_id, w);
  END LOOP;
  IF entered IS NOT NULL THEN woken := claw.entered_key(r, entered, now_ms); END IF;
  RETURN jsonb_build_object('d', to_jsonb(delivered), 'w', to_jsonb(woken));
END $$;

-- The last part of a transition: parks or holds the run; true when it was parked.
CREATE FUNCTION claw.put_to_rest(t jsonb, inc bigint, told boolean) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
  run_id text := t->>'run';
  park jsonb := t->'park';
  hold jsonb := t->'hold';
BEGIN
  IF park IS NOT NULL AND hold IS NULL AND park->>'due' IS NULL AND (park->>'waits')::int <= 0 THEN
    RAISE EXCEPTION '% would be stranded: nothing would wake it', run_id USING ERRCODE = 'CL001';
  END IF;
  IF t ? 'start' THEN
    IF park IS NULL OR hold IS NOT NULL THEN RETURN false; END IF;
    IF (park->>'inboxSeen')::int = 0 AND NOT told THEN RETURN true; END IF;
    UPDATE claw.runs SET owner = inc, due = 0, waits = 0 WHERE id = run_id;
  END IF;
  IF hold IS NOT NULL THEN
    UPDATE claw.runs SET owner = NULL, due = NULL, recoveries = 0,
      held = CASE held WHEN 'paused' THEN held ELSE hold->>'kind' END,
      held_reason = CASE held WHEN 'paused' THEN held_reason ELSE hold->>'reason' END
    WHERE id = run_id;
    IF FOUND THEN RETURN false; END IF;
  ELSIF park IS NOT NULL THEN
    UPDATE claw.runs SET owner = NULL, due = (park->>'due')::bigint,
      waits = (park->>'waits')::int, recoveries = 0
    WHERE id = run_id AND inbox_seq = (park->>'inboxSeen')::int;
    IF FOUND THEN RETURN true; END IF;
    IF EXISTS (SELECT 1 FROM claw.runs WHERE id = run_id) THEN RETURN false; END IF;
  ELSE
    RETURN false;
  END IF;
  RAISE EXCEPTION '% is not an open run', run_id USING ERRCODE = 'CL001';
END $$;

CREATE FUNCTION claw.change_approvals(t jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO claw.approvals
  SELECT t->>'run', a->>'call', t->>'namespace', a->>'title', a->>'form', a->'assignees',
    (a->>'createdAt')::bigint, (a->>'expiresAt')::bigint
  FROM jsonb_array_elements(t->'rare'->'approvals') a ON CONFLICT DO NOTHING;
  DELETE FROM claw.approvals WHERE run = t->>'run'
    AND call IN (SELECT c FROM jsonb_array_elements_text(t->'rare'->'unapprovals') c);
END $$;

-- The end of a run: its entries, its closed row.
CREATE FUNCTION claw.end_run(t jsonb, f jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  run_id text := t->>'run';
BEGIN
  IF f ? 'hadWaits' THEN
    DELETE FROM claw.waits WHERE run = run_id;
    DELETE FROM claw.approvals WHERE run = run_id;
  END IF;
  IF f ? 'journal' THEN
    DELETE FROM claw.journal WHERE run = run_id;
  ELSIF t->'rare' ? 'replaces' THEN
    PERFORM claw.replace_entries(run_id, (t->>'firstSeq')::int, (t->>'seq')::int,
      coalesce(t->>'entries', ''));
  ELSIF t ? 'entries' THEN
    IF t ? 'start' THEN
      INSERT INTO claw.journal VALUES (run_id, (t->>'firstSeq')::int, t->>'entries');
    ELSE
      PERFORM claw.append_entries(run_id, (t->>'firstSeq')::int, (t->>'seq')::int, t->>'entries');
    END IF;
  END IF;
  PERFORM claw.close_run(f, (t->>'seq')::int, t ? 'start');
END $$;

-- What few transitions have.
CREATE FUNCTION claw.apply_rare(t jsonb, run_id text, rare jsonb) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO claw.generations (run, generation, ended_at, input, journal)
  SELECT run_id, (g->>'generation')::int, (g->>'endedAt')::bigint, g->>'input', g->>'journal'
  FROM jsonb_array_elements(rare->'past') g;
  IF rare ? 'renewal' THEN PERFORM claw.renew_run(run_id, rare->'renewal'); END IF;
  IF rare ? 'attributes' THEN
    PERFORM claw.set_attributes(run_id, rare->'attributes', (rare->>'attributesMax')::int);
  END IF;
  IF rare ? 'streams' THEN PERFORM claw.write_streams(run_id, rare->'streams'); END IF;
  IF NOT t ? 'finish' THEN PERFORM claw.change_approvals(t); END IF;
  IF rare ? 'keyState' THEN PERFORM claw.set_key_state(run_id, rare->'keyState'); END IF;
END $$;

-- The order matters: subscriptions before messages and events, so that a run can be told what it
-- emits itself; the parking last, so that it sees every message.
CREATE FUNCTION claw.apply_transition(t jsonb, inc bigint, now_ms bigint) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
  run_id text := t->>'run';
  f jsonb := t->'finish';
  one jsonb;
  more jsonb;
  delivered jsonb[] := '{}';
  brought jsonb := '{}';
  parked boolean := false;
BEGIN
  -- Others were let past the run before this was written.
  IF t->'rare' ? 'keyState' AND NOT t ? 'start' AND NOT EXISTS (
    SELECT 1 FROM claw.keyed_runs m JOIN claw.keys k USING (namespace, workflow, key)
    WHERE m.run = run_id AND k.head = run_id) THEN
    RETURN jsonb_build_object('a', claw.refused('state', run_id));
  END IF;
  IF t ? 'dedup' THEN
    more := claw.remember(t->'dedup', run_id, now_ms);
    IF more IS NOT NULL THEN RETURN jsonb_build_object('a', more); END IF;
  END IF;
  IF f IS NULL THEN
    more := claw.advance_run(t, inc, now_ms);
    delivered := ARRAY(SELECT jsonb_array_elements(more->'d'));
    brought := more - 'd';
  ELSE
    PERFORM claw.end_run(t, f);
  END IF;
  IF t->'start' ? 'trace' THEN PERFORM claw.put_trace(t->'start'); END IF;
  IF t ? 'rare' THEN PERFORM claw.apply_rare(t, run_id, t->'rare'); END IF;
  FOR one IN SELECT * FROM jsonb_array_elements(t->'starts') LOOP
    more := claw.start_other(t, one, inc, now_ms);
    delivered := delivered || ARRAY(SELECT jsonb_array_elements(more->'d'));
    brought := claw.joined(brought, more - 'd');
  END LOOP;
  FOR one IN SELECT * FROM jsonb_array_elements(t->'messages') LOOP
    more := claw.tell(one);
    IF more IS NOT NULL THEN delivered := array_append(delivered, more); END IF;
  END LOOP;
  FOR one IN SELECT * FROM jsonb_array_elements(t->'events') LOOP
    more := claw.publish(one, inc, now_ms);
    IF more IS NOT NULL THEN
      delivered := delivered || ARRAY(SELECT jsonb_array_elements(more->'d'));
      brought := claw.joined(brought, more - 'd');
    END IF;
  END LOOP;
  IF f->'start' ? 'keyed' THEN
    brought := claw.joined(brought,
      jsonb_build_object('w', to_jsonb(claw.leave_key(run_id, now_ms))));
  ELSIF f IS NULL THEN
    parked := claw.put_to_rest(t, inc,
      EXISTS (SELECT 1 FROM unnest(delivered) d WHERE d->>'to' = run_id));
    IF t ? 'hold' THEN
      brought := claw.joined(brought,
        jsonb_build_object('w', to_jsonb(claw.key_held(run_id, now_ms))));
    END IF;
  END IF;
  RETURN brought || jsonb_build_object('a', claw.applied(parked), 'd', to_jsonb(delivered));
END $$;

-- A run that a client starts in the queue of a key.
CREATE FUNCTION claw.apply_start(i jsonb, inc bigint, now_ms bigint) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
  known jsonb;
  outcome jsonb;
BEGIN
  IF i ? 'dedup' THEN
    known := claw.remember(i->'dedup', i->'start'->'row'->>'id', now_ms);
    IF known IS NOT NULL THEN RETURN known; END IF;
  END IF;
  outcome := claw.start_run(i->'start', inc, now_ms);
  IF outcome ? 'r' THEN
    IF i ? 'dedup' THEN DELETE FROM claw.dedup WHERE scope = i->'dedup'->>'scope'; END IF;
    RETURN jsonb_build_object('status', 'refused', 'why', 'start',
      'detail', outcome->'r'->0->>'why', 'start', outcome->'r'->0);
  END IF;
  RETURN coalesce(outcome, '{}') || jsonb_build_object('a', claw.applied(false));
END $$;

-- A message of a client, if there is room: rows are counted only for runs that ever got that many,
-- and a full inbox still takes one request to cancel.
CREATE FUNCTION claw.apply_delivery(i jsonb, ns text, now_ms bigint, room int) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
  m jsonb := i->'message';
  row record;
  known jsonb;
  why text;
BEGIN
  IF i ? 'dedup' THEN
    known := claw.remember(i->'dedup', '', now_ms);
    IF known IS NOT NULL THEN RETURN jsonb_build_object('a', known); END IF;
  END IF;
  SELECT namespace, inbox_seq INTO row FROM claw.runs WHERE id = m->>'to' FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    why := CASE WHEN EXISTS (SELECT 1 FROM claw.closed WHERE id = m->>'to'
      AND namespace = coalesce(ns, namespace)) THEN 'closed' ELSE 'unknown' END;
  ELSIF row.namespace <> coalesce(ns, row.namespace) THEN
    why := 'unknown';
  ELSIF row.inbox_seq >= room
    AND NOT (m->>'kind' = 'cancel' AND NOT EXISTS
      (SELECT 1 FROM claw.inbox WHERE run = m->>'to' AND kind = 'cancel'))
    AND (SELECT count(*) FROM claw.inbox WHERE run = m->>'to') >= room THEN
    why := 'full';
  END IF;
  IF why IS NULL THEN
    RETURN jsonb_build_object('a', claw.applied(false),
      'd', jsonb_build_array(claw.tell(m)));
  END IF;
  IF i ? 'dedup' THEN DELETE FROM claw.dedup WHERE scope = i->'dedup'->>'scope'; END IF;
  RETURN claw.refused(why, m->>'to');
END $$;

CREATE FUNCTION claw.apply_decision(i jsonb, ns text, now_ms bigint) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
  row record;
  run_id text := i->>'run';
BEGIN
  SELECT a.expires_at INTO row FROM claw.approvals a JOIN claw.runs r ON r.id = a.run
  WHERE a.run = run_id AND a.call = i->>'call' AND r.namespace = coalesce(ns, r.namespace)
  FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    IF EXISTS (SELECT 1 FROM claw.closed WHERE id = run_id AND namespace = coalesce(ns, namespace)) THEN
      RETURN claw.refused('closed', run_id);
    END IF;
    IF NOT EXISTS (SELECT 1 FROM claw.runs WHERE id = run_id AND namespace = coalesce(ns, namespace)) THEN
      RETURN claw.refused('unknown', run_id);
    END IF;
    RETURN claw.refused('state', CASE WHEN EXISTS (SELECT 1 FROM claw.inbox
      WHERE run = run_id AND kind = 'approval' AND name = i->>'call') THEN 'decided' ELSE 'none' END);
  END IF;
  IF row.expires_at <= now_ms THEN RETURN claw.refused('state', 'expired'); END IF;
  DELETE FROM claw.approvals WHERE run = run_id AND call = i->>'call';
  RETURN jsonb_build_object('a', claw.applied(false), 'd', jsonb_build_array(claw.tell(
    jsonb_build_object('to', run_id, 'kind', 'approval', 'name', i->>'call', 'from', '',
      'data', i->>'data'))));
END $$;

-- Operators: release, pause, clear, take.
CREATE FUNCTION claw.apply_operation(i jsonb, inc bigint, ns text, now_ms bigint) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
  run_id text := i->>'run';
  row record;
  woken text[];
BEGIN
  IF i->>'type' = 'take' THEN
    UPDATE claw.runs SET due = 0, owner = inc
    WHERE held = '' AND coalesce(owner, inc) = inc AND id IN (SELECT r FROM jsonb_array_elements_text(i->'runs') r);
    RETURN claw.applied(false);
  ELSIF i->>'type' = 'clear' THEN
    UPDATE claw.runs SET recoveries = 0 WHERE id = run_id;
    RETURN claw.applied(false);
  END IF;
  row := claw.look_up(run_id, ns);
  IF row.why IS NOT NULL THEN RETURN claw.refused(row.why, run_id); END IF;
  IF i->>'type' = 'pause' THEN
    IF row.held NOT IN ('', 'paused', 'queued') THEN RETURN claw.refused('state', row.held); END IF;
    -- A node has bodies of it that must end.
    UPDATE claw.runs SET owner = CASE WHEN claw.is_node(inc) THEN owner END, due = NULL, held = 'paused',
      held_reason = i->>'reason', recoveries = 0 WHERE id = run_id;
    RETURN jsonb_build_object('a', claw.applied(false), 'w', to_jsonb(claw.key_held(run_id, now_ms)));
  END IF;
  IF i ? 'from' AND NOT (i->'from') ? row.held THEN RETURN claw.refused('state', row.held); END IF;
  IF row.held <> '' THEN woken := claw.key_release(run_id, now_ms); END IF;
  IF woken IS NOT NULL THEN
    RETURN jsonb_build_object('a', claw.applied(false), 'w', to_jsonb(woken));
  END IF;
  UPDATE claw.runs SET due = CASE WHEN owner IS NULL THEN 1 ELSE 0 END, held = '', held_reason = '',
    recoveries = 0 WHERE id = run_id AND held <> '';
  RETURN claw.applied(false);
END $$;
`;
