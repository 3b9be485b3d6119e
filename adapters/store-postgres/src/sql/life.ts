/** Functions of opening and closing: incarnations begin and end here. */
export const LIFE_FUNCTIONS = `
-- Ends a live incarnation, with only_over if its lease is over; true when it did. The lock waits for what it has sent and is
-- being written: what comes after reads it. Statements after this one see all that it wrote.
CREATE FUNCTION claw.end_life(inc bigint, only_over boolean) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(claw.lock_class(), inc::int);
  -- Waits for a renewal that is under way and reads what it wrote.
  DELETE FROM claw.leases
  WHERE incarnation = inc AND (NOT only_over OR until < clock_timestamp());
  IF EXISTS (SELECT 1 FROM claw.leases WHERE incarnation = inc) THEN RETURN false; END IF;
  UPDATE claw.incarnations SET state = 'ended' WHERE id = inc AND state = 'live';
  RETURN FOUND;
END $$;

-- What an ended incarnation held in memory (0) is due at once: it comes first in what is due. more: 1 when a process ended
-- with it, 0 when not.
CREATE FUNCTION claw.free_runs(inc bigint, more int, recoveries_max int) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  -- In the order in which commits lock them.
  WITH mine AS (SELECT id FROM claw.runs WHERE owner = inc ORDER BY id FOR NO KEY UPDATE)
  UPDATE claw.runs r SET owner = NULL, due = CASE WHEN held = '' THEN 1 ELSE due END,
    recoveries = recoveries + CASE WHEN held = '' THEN more ELSE 0 END
  FROM mine WHERE r.id = mine.id;
  UPDATE claw.task_blocks SET owner = NULL WHERE owner = inc;
  UPDATE claw.task_aside SET owner = NULL WHERE owner = inc;
  IF more > 0 THEN PERFORM claw.quarantine(recoveries_max); END IF;
  -- Who waits for an answer of it looks again; and post of lives that ended before, which came too late.
  INSERT INTO claw.mail SELECT sender, run FROM claw.errands WHERE holder = inc;
  DELETE FROM claw.errands WHERE holder = inc OR sender = inc;
  DELETE FROM claw.watches WHERE NOT EXISTS (SELECT 1 FROM claw.leases l WHERE l.incarnation = watches.incarnation);
  DELETE FROM claw.mail WHERE NOT EXISTS (SELECT 1 FROM claw.leases l WHERE l.incarnation = mail.incarnation);
  DELETE FROM claw.replies WHERE NOT EXISTS (SELECT 1 FROM claw.leases l WHERE l.incarnation = replies.receiver);
END $$;

CREATE FUNCTION claw.quarantine(recoveries_max int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE claw.runs SET due = NULL, held = 'quarantined',
    held_reason = 'the process that took it up ended ' || recoveries || ' times in a row'
  WHERE recoveries > 1 AND recoveries > recoveries_max AND held = '' AND owner IS NULL;
  IF NOT FOUND THEN RETURN; END IF;
  -- Others are let past the heads that were quarantined.
  PERFORM claw.key_held(m.run, 0) FROM claw.keyed_runs m JOIN claw.runs r ON r.id = m.run
  WHERE r.held = 'quarantined' AND m.place = 'head';
END $$;

-- Begins the incarnation of a process that is alone; all others were ended. more: as in free_runs.
CREATE FUNCTION claw.begin_alone(more int, recoveries_max int, OUT id bigint, OUT was_open boolean)
LANGUAGE plpgsql AS $$
BEGIN
  SELECT value = 1 INTO was_open FROM claw.meta WHERE name = 'open';
  UPDATE claw.meta SET value = 1 WHERE name = 'open';
  UPDATE claw.runs SET owner = NULL, due = 1, recoveries = recoveries + more WHERE due = 0;
  IF more > 0 THEN PERFORM claw.quarantine(recoveries_max); END IF;
  INSERT INTO claw.incarnations (id, state)
  SELECT coalesce(max(i.id), 0) + 1, 'live' FROM claw.incarnations i RETURNING incarnations.id INTO id;
END $$;

-- Moves entries of an ended incarnation to rows of their runs, and forgets its tail.
CREATE FUNCTION claw.settle_tail(inc bigint, j_run text[], j_first int[], j_seq int[], j_text text[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO claw.journal SELECT * FROM unnest(j_run, j_first, j_text);
  UPDATE claw.runs SET seq = j.seq FROM unnest(j_run, j_seq) AS j (run, seq) WHERE id = j.run;
  DELETE FROM claw.tail WHERE incarnation = inc;
END $$;
`;
