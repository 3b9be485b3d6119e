/** Functions that write standalone tasks. */
export const TASK_FUNCTIONS = `
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
    error = excluded.error
$$;

CREATE FUNCTION claw.apply_task(i jsonb, now_ms bigint) RETURNS jsonb LANGUAGE plpgsql AS $$
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
      (b->>'count')::int, (b->>'addedAt')::bigint, b->>'inputs'
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
    UPDATE claw.task_aside SET status = 'waiting', attempt = 1, due = now_ms, error = NULL
    WHERE id = (i->>'id')::bigint AND namespace = i->>'namespace' AND status = 'dead';
    IF NOT FOUND THEN RETURN claw.refused('unknown', i->>'task'); END IF;
  END IF;
  RETURN claw.applied(false);
END $$;
`;
