/** Numbers of tasks that an incarnation gives without asking again. */
const NUMBERS = 2 ** 32;

/** Who works on standalone tasks among nodes, as schema version 3. */
export const TASK_HOLDER_TABLES = `
ALTER TABLE claw.task_blocks ADD COLUMN owner bigint;
ALTER TABLE claw.task_aside ADD COLUMN owner bigint;
-- Numbers of several nodes are not in the order of time.
DROP INDEX claw.task_blocks_order;
CREATE INDEX task_blocks_order ON claw.task_blocks (namespace, queue, rank, added_at, id, name);
`;

/** Functions that write standalone tasks. */
export const TASK_FUNCTIONS = `
-- A number after which the next ones are for this incarnation alone.
CREATE FUNCTION claw.task_numbers() RETURNS bigint LANGUAGE sql AS $$
  UPDATE claw.meta SET value = (value / ${NUMBERS} + 2) * ${NUMBERS} - 1
  WHERE name = 'task_id' RETURNING value / ${NUMBERS} * ${NUMBERS}
$$;

-- Blocks that nobody else holds are this incarnation's from now on.
CREATE FUNCTION claw.claim_blocks(inc bigint, ids bigint[]) RETURNS SETOF bigint LANGUAGE plpgsql AS $$
BEGIN
  PERFORM claw.fence(inc);
  WITH free AS (
    SELECT id FROM claw.task_blocks WHERE id = ANY (ids) AND owner IS NULL
    ORDER BY id FOR NO KEY UPDATE SKIP LOCKED)
  UPDATE claw.task_blocks b SET owner = inc FROM free WHERE b.id = free.id;
  RETURN QUERY SELECT id FROM claw.task_blocks WHERE id = ANY (ids) AND owner = inc;
END $$;

-- The first waiting tasks that are due and nobody else holds are this incarnation's from now on.
CREATE FUNCTION claw.claim_due(inc bigint, ns text, q text, names text[], now_ms bigint, most int)
RETURNS SETOF bigint LANGUAGE plpgsql AS $$
BEGIN
  PERFORM claw.fence(inc);
  RETURN QUERY WITH first AS (
    SELECT id, owner FROM claw.task_aside
    WHERE namespace = ns AND queue = q AND name = ANY (names) AND status = 'waiting' AND due <= now_ms
      AND coalesce(owner, inc) = inc
    ORDER BY due, id LIMIT most FOR NO KEY UPDATE SKIP LOCKED
  ), taken AS (
    UPDATE claw.task_aside a SET owner = inc FROM first WHERE a.id = first.id AND first.owner IS NULL)
  SELECT id FROM first;
END $$;

CREATE FUNCTION claw.write_aside(rows jsonb) RETURNS void LANGUAGE sql AS $$
  INSERT INTO claw.task_aside
  SELECT (a->>'id')::bigint, a->>'namespace', a->>'queue', (a->>'rank')::int, a->>'name',
    a->>'status', (a->>'attempt')::int, (a->>'due')::bigint, (a->>'addedAt')::bigint,
    a->>'input', a->>'output', a->>'progress', a->>'error'
  FROM jsonb_array_elements(rows) a
  ON CONFLICT (id) DO UPDATE SET namespace = excluded.namespace, queue = excluded.queue,
    rank = excluded.rank, name = excluded.name, status = excluded.status,
    attempt = excluded.attempt, due = excluded.due, added_at = excluded.added_at,
    input = excluded.input, output = excluded.output, progress = excluded.progress,
    error = excluded.error, owner = NULL
$$;

CREATE FUNCTION claw.apply_task(i jsonb, inc bigint, now_ms bigint) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  first jsonb;
BEGIN
  IF i->>'type' = 'enqueue' THEN
    IF i ? 'dedup' THEN
      first := claw.remember(i->'dedup', i->>'lastTask', now_ms);
      IF first IS NOT NULL THEN RETURN first; END IF;
    END IF;
    INSERT INTO claw.task_blocks
    SELECT (b->>'id')::bigint, b->>'namespace', b->>'queue', (b->>'rank')::int, b->>'name',
      (b->>'count')::int, (b->>'addedAt')::bigint, b->>'inputs', CASE WHEN i ? 'held' THEN inc END
    FROM jsonb_array_elements(i->'blocks') b;
    PERFORM claw.write_aside(i->'aside');
    UPDATE claw.meta SET value = (i->>'lastId')::bigint
    WHERE name = 'task_id' AND value < (i->>'lastId')::bigint;
  ELSIF i->>'type' = 'tasks' THEN
    DELETE FROM claw.task_blocks
    WHERE id IN (SELECT g::bigint FROM jsonb_array_elements_text(i->'blocksGone') g);
    DELETE FROM claw.task_marks
    WHERE block IN (SELECT g::bigint FROM jsonb_array_elements_text(i->'blocksGone') g);
    INSERT INTO claw.task_marks
    SELECT (m->>'block')::bigint, m->>'done' FROM jsonb_array_elements(i->'marks') m
    ON CONFLICT (block) DO UPDATE SET done = excluded.done;
    DELETE FROM claw.task_aside
    WHERE id IN (SELECT g::bigint FROM jsonb_array_elements_text(i->'asideGone') g);
    PERFORM claw.write_aside(i->'aside');
    IF i ? 'blobsGone' THEN
      DELETE FROM claw.blobs
      WHERE run IN (SELECT g FROM jsonb_array_elements_text(i->'blobsGone') g);
    END IF;
  ELSE
    UPDATE claw.task_aside SET status = 'waiting', attempt = 1, due = now_ms, error = NULL, owner = NULL
    WHERE id = (i->>'id')::bigint AND namespace = i->>'namespace' AND status = 'dead';
    IF NOT FOUND THEN RETURN claw.refused('unknown', i->>'task'); END IF;
  END IF;
  RETURN claw.applied(false);
END $$;
`;
