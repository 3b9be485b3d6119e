import { LOCKS } from "./locks.ts";

/**
 * What several nodes on one schema need, as schema version 2: leases (another row than the fence, so that a renewal
 * waits for no commit), post, and who watches which run. See docs/decisions/0014-many-nodes.md.
 *
 * `mail` has no key on purpose: who leaves a note must not wait for the node that takes notes, and a note that was
 * "there already" could be taken before the message that it stands for is committed.
 */
export const NODE_TABLES = `
CREATE TABLE claw.leases (
  incarnation bigint PRIMARY KEY,
  until timestamptz NOT NULL,
  report jsonb
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);

CREATE TABLE claw.mail (
  incarnation bigint NOT NULL,
  run text COLLATE "C" NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX mail_incarnation ON claw.mail (incarnation);

CREATE TABLE claw.watches (
  run text COLLATE "C" NOT NULL,
  incarnation bigint NOT NULL,
  PRIMARY KEY (run, incarnation)
);

CREATE TABLE claw.errands (
  sender bigint NOT NULL,
  id text NOT NULL,
  holder bigint NOT NULL,
  run text COLLATE "C" NOT NULL,
  body text NOT NULL,
  PRIMARY KEY (sender, id)
);
CREATE INDEX errands_holder ON claw.errands (holder);

CREATE TABLE claw.replies (
  receiver bigint NOT NULL,
  id text NOT NULL,
  body text NOT NULL
);
CREATE INDEX replies_receiver ON claw.replies (receiver);

-- Rises with every shape that a node learns.
INSERT INTO claw.meta VALUES ('shapes', 0);
`;

/** Functions of leases, claims and post. */
export const NODE_FUNCTIONS = `
-- Begins an incarnation beside others.
CREATE FUNCTION claw.begin_beside(lease_ms int, said text, OUT id bigint, OUT now_ms float8)
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(claw.lock_class() # 3, ${LOCKS.lives});
  INSERT INTO claw.incarnations (id, state)
  SELECT coalesce(max(i.id), 0) + 1, 'live' FROM claw.incarnations i RETURNING incarnations.id INTO id;
  UPDATE claw.meta SET value = 1 WHERE name = 'open' AND value <> 1;
  INSERT INTO claw.leases VALUES (id, clock_timestamp() + lease_ms * interval '1 millisecond',
    said::jsonb);
  now_ms := extract(epoch FROM clock_timestamp()) * 1000;
END $$;

-- Renews a lease; not alive when the incarnation was ended. live: incarnations that take runs, over: leases that are over.
CREATE FUNCTION claw.renew(inc bigint, lease_ms int, said text,
  OUT alive boolean, OUT live bigint[], OUT over int, OUT now_ms float8) LANGUAGE plpgsql AS $$
BEGIN
  UPDATE claw.leases SET until = clock_timestamp() + lease_ms * interval '1 millisecond',
    report = coalesce(said::jsonb, report) WHERE incarnation = inc;
  alive := FOUND;
  SELECT coalesce(array_agg(l.incarnation ORDER BY l.incarnation)
      FILTER (WHERE until >= clock_timestamp() AND (report->>'takes')::boolean), '{}'),
    count(*) FILTER (WHERE until < clock_timestamp())
  INTO live, over FROM claw.leases l;
  now_ms := extract(epoch FROM clock_timestamp()) * 1000;
END $$;

-- Runs that no other holds are this incarnation's from now on.
CREATE FUNCTION claw.claim(inc bigint, ids text[], ns text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM claw.fence(inc);
  RETURN QUERY WITH free AS (
    SELECT r.id FROM claw.runs r WHERE r.id = ANY (ids)
      AND coalesce(r.owner, inc) = inc AND r.namespace = coalesce(ns, r.namespace)
    ORDER BY r.id FOR NO KEY UPDATE SKIP LOCKED)
  UPDATE claw.runs r SET owner = inc, due = CASE WHEN r.held = '' THEN 0 ELSE r.due END
  FROM free WHERE r.id = free.id RETURNING r.id;
END $$;

-- Gives up runs that an incarnation holds; what its tail has of them goes to their rows.
CREATE FUNCTION claw.give_up(inc bigint, ids text[], j_run text[], j_first int[], j_seq int[], j_text text[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM claw.fence(inc);
  PERFORM 1 FROM claw.runs WHERE id = ANY (ids) AND owner = inc ORDER BY id FOR NO KEY UPDATE;
  INSERT INTO claw.journal
  SELECT j.run, j.first, j.body FROM unnest(j_run, j_first, j_text) AS j (run, first, body)
  JOIN claw.runs ON id = j.run WHERE owner = inc;
  UPDATE claw.runs SET seq = j.seq FROM unnest(j_run, j_seq) AS j (run, seq)
  WHERE id = j.run AND owner = inc;
  UPDATE claw.runs SET owner = NULL, due = CASE WHEN held = '' THEN 1 ELSE due END
  WHERE id = ANY (ids) AND owner = inc;
END $$;

-- Takes the post of an incarnation.
CREATE FUNCTION claw.collect(inc bigint) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  found_runs jsonb;
  found_errands jsonb;
  found_replies jsonb;
BEGIN
  WITH taken AS (DELETE FROM claw.mail WHERE incarnation = inc RETURNING run)
  SELECT jsonb_agg(DISTINCT run) INTO found_runs FROM taken;
  WITH taken AS (DELETE FROM claw.errands WHERE holder = inc RETURNING *)
  SELECT jsonb_agg(jsonb_build_object('id', id, 'from', sender, 'run', run, 'body', body))
  INTO found_errands FROM taken;
  WITH taken AS (DELETE FROM claw.replies WHERE receiver = inc RETURNING *)
  SELECT jsonb_agg(jsonb_build_object('id', id, 'body', body)) INTO found_replies FROM taken;
  RETURN jsonb_build_object('runs', coalesce(found_runs, '[]'), 'errands',
    coalesce(found_errands, '[]'), 'replies', coalesce(found_replies, '[]'));
END $$;

-- Leaves an errand for whoever holds a run; null when nobody does. The lock on the run waits for who ends its holder.
CREATE FUNCTION claw.send_errand(inc bigint, errand text, run_id text, said text) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
  who bigint;
BEGIN
  PERFORM claw.fence(inc);
  SELECT owner INTO who FROM claw.runs WHERE id = run_id FOR SHARE;
  IF who IS NULL THEN RETURN NULL; END IF;
  INSERT INTO claw.errands VALUES (inc, errand, who, run_id, said) ON CONFLICT DO NOTHING;
  RETURN who;
END $$;

-- Notes of a batch: for who holds a run that was told something, for who watches a run that it touched. Whose they are.
CREATE FUNCTION claw.leave_mail(inc bigint, answers jsonb, touched text[]) RETURNS bigint[]
LANGUAGE plpgsql AS $$
DECLARE
  whose bigint[];
BEGIN
  IF NOT EXISTS (SELECT 1 FROM claw.leases WHERE incarnation <> inc) THEN RETURN NULL; END IF;
  WITH notes AS (
    SELECT (d->>'o')::bigint AS who, d->>'to' AS run
    FROM jsonb_array_elements(answers) a, jsonb_array_elements(claw.listed(a->'d')) d
    WHERE (d->>'o')::bigint <> inc
    UNION SELECT r.owner, r.id
    FROM jsonb_array_elements(answers) a, jsonb_array_elements_text(claw.listed(a->'w')) w
    JOIN claw.runs r ON r.id = w WHERE r.owner <> inc
    UNION SELECT w.incarnation, w.run FROM claw.watches w
    WHERE w.run = ANY (touched) AND w.incarnation <> inc
  ), put AS (INSERT INTO claw.mail SELECT who, run FROM notes RETURNING incarnation)
  SELECT array_agg(DISTINCT incarnation) INTO whose FROM put;
  RETURN whose;
END $$;

CREATE FUNCTION claw.listed(list jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN jsonb_typeof(list) = 'array' THEN list END
$$;
`;
