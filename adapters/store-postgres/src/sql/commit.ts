/**
 * The one statement of a commit. What most transitions are (a start, entries, a rest, an end) comes as
 * arrays and is written set by set; everything else comes as items and is applied in order. The sender puts
 * a transition into the arrays only if nothing else of the batch touches its run, so that the order between
 * both does not matter.
 *
 * CL001 contradiction, CL002 fenced, CL004 sent before, CL005 runs (its detail, as JSON) that others hold, CL006 shapes that
 * the sender does not know. All locks are taken sorted and before anything is written: advisory ones, then rows of runs.
 */
export const COMMIT_FUNCTIONS = `
-- Keeps a batch of an ended incarnation out: the shared lock waits for whoever ends it, the state is read after it.
CREATE FUNCTION claw.enter(inc bigint, num bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  known record;
BEGIN
  PERFORM pg_advisory_xact_lock_shared(claw.lock_class(), inc::int);
  UPDATE claw.incarnations SET batch = num WHERE id = inc AND state = 'live' AND batch < num;
  IF FOUND THEN RETURN; END IF;
  SELECT state, batch INTO known FROM claw.incarnations WHERE id = inc;
  IF known.state = 'live' THEN
    RAISE EXCEPTION 'batch % was sent before, % is the last one', num, known.batch
      USING ERRCODE = 'CL004';
  END IF;
  RAISE EXCEPTION 'incarnation % was ended by %', inc, (SELECT max(id) FROM claw.incarnations)
    USING ERRCODE = 'CL002';
END $$;

CREATE FUNCTION claw.apply_item(i jsonb, inc bigint, ns text, now_ms bigint, room int)
RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
  CASE i->>'type'
    WHEN 'transition' THEN RETURN claw.apply_transition(i, inc, now_ms);
    WHEN 'spread' THEN
      RETURN jsonb_strip_nulls(jsonb_build_object('a', claw.applied(false), 'd', to_jsonb(claw.spread_on())));
    WHEN 'start' THEN RETURN claw.apply_start(i, inc, now_ms);
    WHEN 'delivery' THEN RETURN claw.apply_delivery(i, ns, now_ms, room);
    WHEN 'decision' THEN RETURN claw.apply_decision(i, ns, now_ms);
    WHEN 'publication' THEN
      RETURN coalesce(claw.publish(i, inc, now_ms) || jsonb_build_object('a', claw.applied(false)),
        '{"a": {"status": "duplicate", "run": "", "same": true}}');
    WHEN 'enqueue', 'tasks', 'redrive' THEN RETURN claw.apply_task(i, inc, now_ms);
    ELSE RETURN claw.apply_operation(i, inc, ns, now_ms);
  END CASE;
END $$;

-- Applies items in order. A careful one is undone alone when it is bad, and the others go on.
CREATE FUNCTION claw.apply_items(items jsonb, inc bigint, ns text, now_ms bigint, room int,
  careful boolean) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  i jsonb;
  answer jsonb;
  answers jsonb[] := '{}';
BEGIN
  FOR i IN SELECT * FROM jsonb_array_elements(items) LOOP
    IF careful THEN
      BEGIN
        answer := claw.apply_item(i, inc, ns, now_ms, room);
      EXCEPTION WHEN SQLSTATE 'CL001' OR data_exception OR integrity_constraint_violation
        OR program_limit_exceeded THEN
        answer := claw.refused('poison', SQLERRM);
      END;
    ELSE
      answer := claw.apply_item(i, inc, ns, now_ms, room);
    END IF;
    -- Appending to an array takes the same time for each element, to a JSON list more and more.
    answers := array_append(answers,
      CASE WHEN answer ? 'a' THEN answer ELSE jsonb_build_object('a', answer) END);
  END LOOP;
  RETURN to_jsonb(answers);
END $$;

-- Refuses what is written of runs that are not this node's: own ones must be, operated ones must not be another's.
CREATE FUNCTION claw.refuse_foreign(held_runs text[], resting text[], own text[], operated text[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  held text[];
  rests text[];
BEGIN
  IF held_runs IS NULL AND (resting IS NULL OR cardinality(own) = 0) THEN RETURN; END IF;
  held := ARRAY(SELECT unnest(held_runs) INTERSECT SELECT unnest(own || operated));
  rests := ARRAY(SELECT unnest(resting) INTERSECT SELECT unnest(own));
  IF cardinality(held) + cardinality(rests) = 0 THEN RETURN; END IF;
  RAISE EXCEPTION 'another node holds %', (held || rests)[1] USING ERRCODE = 'CL005',
    DETAIL = jsonb_build_object('held', held, 'rests', rests)::text;
END $$;

CREATE FUNCTION claw.commit(
  inc bigint, num bigint, now_ms bigint, ns text, room int,
  -- Entries of the runs in memory, and whether those of earlier commits are all in rows of their runs now.
  tail_body text, tail_settled boolean,
  -- Runs that start: in memory (due 0) or at rest.
  s_id text[], s_namespace text[], s_workflow text[], s_version int[], s_started_at bigint[],
  s_parent_run text[], s_parent_call text[], s_cause text[], s_input text[], s_seq int[],
  s_due bigint[], s_waits int[],
  -- Runs that must still be open, and not another node's.
  o_id text[],
  -- Other nodes may be at work. Then: runs that items touch, those of them that must be this one's, those that must not be
  -- another's, keys of events that are published and awaited, the number of shapes that these keys are made with (-1:
  -- nothing is published), and keys of runs, by name and by run, whose queues may change.
  beside boolean, x_id text[], y_id text[], z_id text[], e_published text[], e_awaited text[], shapes bigint,
  k_name text[], k_run text[],
  -- Entries that move to rows of their run; j_seq is the number of the last.
  j_run text[], j_first int[], j_seq int[], j_text text[],
  -- Runs that rest.
  p_id text[], p_seq int[], p_due bigint[], p_waits int[], p_seen int[],
  -- Runs that end; f_rows are those with rows in the journal.
  f_id text[], f_status text[], f_ended_at bigint[], f_seq int[], f_error text[],
  f_abandoned text[], f_output text[], f_journal text[], f_rows text[],
  items jsonb, careful boolean,
  -- Large payloads; b_item is the place of the item among items, -1 for those in the arrays.
  b_item int[], b_run text[], b_id text[], b_n int[], b_bytes bytea[]
) RETURNS jsonb LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  parked text[] := '{}';
  talked text[];
  met integer;
  foreign_runs text[];
  resting text[];
  answers jsonb := '[]';
  whose bigint[];
BEGIN
  PERFORM claw.enter(inc, num);
  IF shapes >= 0 THEN PERFORM claw.lock_shapes(shapes); END IF;
  IF cardinality(e_published) + cardinality(e_awaited) > 0 THEN
    PERFORM claw.lock_events(e_published, e_awaited);
  END IF;
  IF cardinality(k_name) + cardinality(k_run) > 0 THEN PERFORM claw.lock_keys(k_name, k_run); END IF;
  IF cardinality(o_id) + cardinality(x_id) > 0 THEN
    SELECT count(*), array_agg(id) FILTER (WHERE owner <> inc),
      array_agg(id) FILTER (WHERE owner IS NULL AND beside) INTO met, foreign_runs, resting
    FROM (SELECT id, owner FROM claw.runs WHERE id = ANY (o_id || x_id)
      ORDER BY id FOR NO KEY UPDATE) locked;
    PERFORM claw.refuse_foreign(foreign_runs, resting, o_id || y_id, z_id);
    IF cardinality(x_id) > 0 THEN SELECT count(*) INTO met FROM claw.runs WHERE id = ANY (o_id); END IF;
    IF met <> cardinality(o_id) THEN
      RAISE EXCEPTION 'a run is not open here any more' USING ERRCODE = 'CL001';
    END IF;
  END IF;
  IF tail_settled THEN DELETE FROM claw.tail WHERE incarnation = inc; END IF;
  IF tail_body <> '' THEN INSERT INTO claw.tail VALUES (inc, num, tail_body); END IF;
  IF cardinality(s_id) > 0 THEN
    INSERT INTO claw.runs (id, namespace, workflow, version, started_at, parent_run, parent_call,
      cause, input, seq, due, waits, owner)
    SELECT *, CASE WHEN due = 0 THEN inc END FROM unnest(s_id, s_namespace, s_workflow, s_version,
      s_started_at, s_parent_run, s_parent_call, s_cause, s_input, s_seq, s_due, s_waits)
      AS s (id, namespace, workflow, version, started_at, parent_run, parent_call, cause, input, seq,
        due, waits);
  END IF;
  IF cardinality(p_id) > 0 THEN
    WITH rested AS (
      UPDATE claw.runs SET owner = NULL, seq = p.seq, due = p.due, waits = p.waits, recoveries = 0
      FROM unnest(p_id, p_seq, p_due, p_waits, p_seen) AS p (run, seq, due, waits, seen)
      WHERE id = p.run AND inbox_seq = p.seen RETURNING id)
    SELECT array_agg(id) INTO parked FROM rested;
  END IF;
  IF cardinality(j_run) > 0 THEN
    INSERT INTO claw.journal SELECT * FROM unnest(j_run, j_first, j_text);
    UPDATE claw.runs SET seq = j.seq FROM unnest(j_run, j_seq) AS j (run, seq)
    WHERE id = j.run AND runs.seq <> j.seq;
  END IF;
  IF cardinality(f_id) > 0 THEN
    IF cardinality(f_rows) > 0 THEN DELETE FROM claw.journal WHERE run = ANY (f_rows); END IF;
    WITH gone AS (
      DELETE FROM claw.runs WHERE id = ANY (f_id) RETURNING *
    ), written AS (
      INSERT INTO claw.closed (id, namespace, workflow, version, started_at, parent_run, parent_call,
        cause, input, status, ended_at, seq, error, abandoned, output, journal)
      SELECT id, namespace, workflow, version, started_at, parent_run, parent_call, cause, input,
        f.status, f.ended_at, f.last_seq, f.error, f.abandoned, f.output, f.journal
      FROM gone JOIN unnest(f_id, f_status, f_ended_at, f_seq, f_error, f_abandoned, f_output, f_journal)
        AS f (run, status, ended_at, last_seq, error, abandoned, output, journal) ON f.run = gone.id
    )
    SELECT array_agg(id) FILTER (WHERE inbox_seq > 0), count(*),
      array_agg(id) FILTER (WHERE owner <> inc),
      array_agg(id) FILTER (WHERE owner IS NULL AND beside)
    INTO talked, met, foreign_runs, resting FROM gone;
    PERFORM claw.refuse_foreign(foreign_runs, resting, f_id, '{}');
    IF met <> cardinality(f_id) THEN
      RAISE EXCEPTION 'a run that ends is not open any more' USING ERRCODE = 'CL001';
    END IF;
    IF talked IS NOT NULL THEN DELETE FROM claw.inbox WHERE run = ANY (talked); END IF;
  END IF;
  IF jsonb_array_length(items) > 0 THEN
    answers := claw.apply_items(items, inc, ns, now_ms, room, careful);
  END IF;
  IF cardinality(b_run) > 0 THEN
    DELETE FROM claw.blobs b USING unnest(b_item, b_run, b_id, b_n) AS n (item, run, id, n)
    WHERE b.run = n.run AND b.id = n.id
      AND (n.item < 0 OR answers->n.item->'a'->>'status' = 'applied');
    INSERT INTO claw.blobs
    SELECT run, id, n, bytes FROM unnest(b_item, b_run, b_id, b_n, b_bytes)
      AS b (item, run, id, n, bytes)
    WHERE item < 0 OR answers->item->'a'->>'status' = 'applied';
  END IF;
  IF beside THEN whose := claw.leave_mail(inc, answers, o_id || f_id || x_id); END IF;
  RETURN jsonb_build_object('parked', coalesce(to_jsonb(parked), '[]'), 'items', answers,
    'owes', EXISTS (SELECT 1 FROM claw.spreads), 'mail', coalesce(to_jsonb(whose), '[]'));
END $$;
`;
