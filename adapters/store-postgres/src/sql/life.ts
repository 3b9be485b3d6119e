/** Functions of opening and closing: incarnations begin and end here. */
export const LIFE_FUNCTIONS = `
-- Ends every other incarnation and begins one. What an ended one held in memory (0) is due at once: it comes first
-- in what is due. more: 1 when processes ended with it, 0 when the caller has owned the store all the time.
CREATE FUNCTION claw.begin_incarnation(more int, recoveries_max int, OUT id bigint, OUT was_open boolean)
LANGUAGE plpgsql AS $$
DECLARE
  other record;
BEGIN
  FOR other IN SELECT i.id FROM claw.incarnations i WHERE state = 'live' ORDER BY i.id LOOP
    PERFORM pg_advisory_xact_lock(claw.lock_class(), other.id::int);
    UPDATE claw.incarnations i SET state = 'ended' WHERE i.id = other.id;
  END LOOP;
  SELECT value = 1 INTO was_open FROM claw.meta WHERE name = 'open';
  UPDATE claw.meta SET value = 1 WHERE name = 'open';
  UPDATE claw.runs SET owner = NULL, due = 1, recoveries = recoveries + more WHERE due = 0;
  UPDATE claw.runs SET due = NULL, held = 'quarantined',
    held_reason = 'the process that took it up ended ' || recoveries || ' times in a row'
  WHERE recoveries > 1 AND recoveries > recoveries_max AND held = '';
  -- Others are let past the heads that were quarantined.
  PERFORM claw.key_held(m.run, 0) FROM claw.keyed_runs m JOIN claw.runs r ON r.id = m.run
  WHERE r.held = 'quarantined' AND m.place = 'head';
  INSERT INTO claw.incarnations (id, state)
  SELECT coalesce(max(i.id), 0) + 1, 'live' FROM claw.incarnations i RETURNING incarnations.id INTO id;
END $$;

-- Moves entries of ended incarnations to rows of their runs, and forgets the tail.
CREATE FUNCTION claw.settle_tail(j_run text[], j_first int[], j_seq int[], j_text text[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO claw.journal SELECT * FROM unnest(j_run, j_first, j_text);
  UPDATE claw.runs SET seq = j.seq FROM unnest(j_run, j_seq) AS j (run, seq) WHERE id = j.run;
  DELETE FROM claw.tail;
END $$;

-- What this node holds in memory is due at once, and no process was ended by it.
CREATE FUNCTION claw.give_back(inc bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(claw.lock_class(), inc::int);
  UPDATE claw.incarnations SET state = 'ended' WHERE id = inc AND state = 'live';
  IF NOT FOUND THEN RETURN; END IF;
  UPDATE claw.runs SET owner = NULL, due = 1 WHERE due = 0;
  UPDATE claw.meta SET value = 0 WHERE name = 'open';
END $$;
`;
