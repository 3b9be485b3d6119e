import { limits } from "@claw/core/protocol";
import { LOCKS } from "./locks.ts";

const MOST = limits.EVENT_SPREAD_ROWS;

/**
 * Events that more calls wait for than one commit should answer: see docs/decisions/0012-spread-events.md. Functions
 * answer the messages that came into inboxes.
 */
export const SPREAD_FUNCTIONS = `
CREATE FUNCTION claw.tell_event(run_id text, call text, note text) RETURNS jsonb LANGUAGE sql AS $$
  SELECT claw.tell(jsonb_build_object('to', run_id, 'kind', 'event', 'name', call, 'from', '',
    'data', note))
$$;

-- Gives a run what is owed to it of events before a number.
CREATE FUNCTION claw.settle_spreads(run_id text, before bigint) RETURNS jsonb[]
LANGUAGE plpgsql AS $$
DECLARE
  owed record;
  told jsonb;
  delivered jsonb[] := '{}';
BEGIN
  FOR owed IN
    SELECT s.seq, s.key, s.note, w.call FROM claw.spreads s
    JOIN claw.waits w ON w.key = s.key AND w.run = run_id AND w.beyond < s.seq
    WHERE s.seq < before ORDER BY s.seq, s.key, w.call
  LOOP
    DELETE FROM claw.waits WHERE key = owed.key AND run = run_id AND call = owed.call;
    -- An older event may have answered the call just now.
    CONTINUE WHEN NOT FOUND;
    told := claw.tell_event(run_id, owed.call, owed.note);
    IF told IS NOT NULL THEN delivered := array_append(delivered, told); END IF;
  END LOOP;
  RETURN delivered;
END $$;

-- Answers all calls that wait under a key, or leaves them to later commits when they are very many.
CREATE FUNCTION claw.answer_key(match_key text, number bigint, note text) RETURNS jsonb[]
LANGUAGE plpgsql AS $$
DECLARE
  waiting integer;
  owes boolean;
  gone record;
  told jsonb;
  delivered jsonb[] := '{}';
BEGIN
  SELECT count(*) INTO waiting
  FROM (SELECT 1 FROM claw.waits WHERE key = match_key LIMIT ${MOST + 1}) AS first;
  IF waiting = 0 THEN RETURN delivered; END IF;
  owes := EXISTS (SELECT 1 FROM claw.spreads);
  IF waiting > ${MOST} OR owes AND EXISTS (SELECT 1 FROM claw.spreads WHERE key = match_key) THEN
    INSERT INTO claw.spreads (seq, key, note) VALUES (number, match_key, note);
    RETURN delivered;
  END IF;
  FOR gone IN
    WITH answered AS (DELETE FROM claw.waits WHERE key = match_key RETURNING run, call)
    SELECT run, call FROM answered ORDER BY run, call
  LOOP
    IF owes THEN delivered := delivered || claw.settle_spreads(gone.run, number); END IF;
    told := claw.tell_event(gone.run, gone.call, note);
    IF told IS NOT NULL THEN delivered := array_append(delivered, told); END IF;
  END LOOP;
  RETURN delivered;
END $$;

-- Answers the next calls of the oldest event that is owed.
CREATE FUNCTION claw.spread_on() RETURNS jsonb[] LANGUAGE plpgsql AS $$
DECLARE
  oldest record;
  next record;
  answered integer := 0;
  last_run text;
  last_call text;
  told jsonb;
  delivered jsonb[] := '{}';
BEGIN
  -- One node at a time. Whoever comes meanwhile has nothing to do.
  IF NOT pg_try_advisory_xact_lock(claw.lock_class() # 3, ${LOCKS.spread}) THEN RETURN NULL; END IF;
  SELECT * INTO oldest FROM claw.spreads ORDER BY seq, key LIMIT 1;
  IF NOT FOUND THEN RETURN delivered; END IF;
  FOR next IN
    SELECT run, call FROM claw.waits
    WHERE key = oldest.key AND (run, call) > (oldest.run, oldest.call) AND beyond < oldest.seq
    ORDER BY run, call LIMIT ${MOST}
  LOOP
    DELETE FROM claw.waits WHERE key = oldest.key AND run = next.run AND call = next.call;
    told := claw.tell_event(next.run, next.call, oldest.note);
    IF told IS NOT NULL THEN delivered := array_append(delivered, told); END IF;
    answered := answered + 1;
    last_run := next.run;
    last_call := next.call;
  END LOOP;
  IF answered < ${MOST} THEN
    DELETE FROM claw.spreads WHERE seq = oldest.seq AND key = oldest.key;
  ELSE
    UPDATE claw.spreads SET run = last_run, call = last_call
    WHERE seq = oldest.seq AND key = oldest.key;
  END IF;
  RETURN delivered;
END $$;
`;
