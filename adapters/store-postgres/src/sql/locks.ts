/**
 * Names of this schema's advisory locks. The class alone with the number of an incarnation is its fence, with 0 the right
 * to work on the schema: shared by nodes, exclusive for a process that is alone. The class with a number is for:
 * 1 buckets of event keys, 2 keys of runs, 3 what one node does at a time (see LOCKS).
 */
export const LOCKS = { shapes: 0, lives: 1, spread: 2, sweep: 3 } as const;

/** Names of events that a batch locks one by one; above that it locks all at once. */
const NAMES_MAX = 200;

/** Functions that take the locks of a commit: sorted and before all rows, so that two commits cannot wait for each other. */
export const LOCK_FUNCTIONS = `
CREATE FUNCTION claw.lock_class() RETURNS integer LANGUAGE sql IMMUTABLE AS $$
  SELECT hashtext('claw.lock_class claw.')
$$;

-- Keeps what comes from an ended incarnation out: the shared lock waits for whoever ends it, the state is read after it.
CREATE FUNCTION claw.fence(inc bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(claw.lock_class(), inc::int);
  IF EXISTS (SELECT 1 FROM claw.incarnations WHERE id = inc AND state = 'live') THEN RETURN; END IF;
  RAISE EXCEPTION 'incarnation % was ended', inc USING ERRCODE = 'CL002';
END $$;

-- True for an incarnation that has others beside it.
CREATE FUNCTION claw.is_node(inc bigint) RETURNS boolean LANGUAGE sql AS $$
  SELECT EXISTS (SELECT 1 FROM claw.leases WHERE incarnation = inc)
$$;

-- Who publishes under a key excludes who subscribes to it, and other publishers: numbers rise in the order of commits.
CREATE FUNCTION claw.lock_events(published text[], awaited text[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  class integer := claw.lock_class() # 1;
  one record;
BEGIN
  IF cardinality(published) + cardinality(awaited) > ${NAMES_MAX} THEN
    PERFORM pg_advisory_xact_lock(class, -1);
    RETURN;
  END IF;
  PERFORM pg_advisory_xact_lock_shared(class, -1);
  FOR one IN
    SELECT hashtext(name) & 4095 AS bucket, bool_or(publishes) AS publishes FROM (
      SELECT name, true AS publishes FROM unnest(published) name
      UNION ALL SELECT name, false FROM unnest(awaited) name) names
    GROUP BY 1 ORDER BY 1
  LOOP
    IF one.publishes THEN PERFORM pg_advisory_xact_lock(class, one.bucket);
    ELSE PERFORM pg_advisory_xact_lock_shared(class, one.bucket);
    END IF;
  END LOOP;
END $$;

-- Events must be indexed under the shapes that other nodes have learned by now, too.
CREATE FUNCTION claw.lock_shapes(known bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(claw.lock_class() # 3, ${LOCKS.shapes});
  IF (SELECT value FROM claw.meta WHERE name = 'shapes') <> known THEN
    RAISE EXCEPTION 'another node has learned a shape' USING ERRCODE = 'CL006';
  END IF;
END $$;

CREATE FUNCTION claw.key_name(ns text, wf text, k text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT ns || E'\\x1f' || wf || E'\\x1f' || k
$$;

-- A key with its queue is one node's at a time.
CREATE FUNCTION claw.lock_key(ns text, wf text, k text) RETURNS void LANGUAGE sql AS $$
  SELECT pg_advisory_xact_lock(claw.lock_class() # 2, hashtext(claw.key_name(ns, wf, k)) & 4095)
$$;

-- The keys that a batch names, and those of the runs that it operates on.
CREATE FUNCTION claw.lock_keys(names text[], of_runs text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  bucket integer;
BEGIN
  FOR bucket IN
    SELECT hashtext(name) & 4095 FROM unnest(names) name
    UNION SELECT hashtext(claw.key_name(namespace, workflow, key)) & 4095 FROM claw.keyed_runs
    WHERE run = ANY (of_runs) ORDER BY 1
  LOOP
    PERFORM pg_advisory_xact_lock(claw.lock_class() # 2, bucket);
  END LOOP;
END $$;
`;
