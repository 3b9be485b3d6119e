/** From version 2 on a run that goes on puts back what it took and has not seen. */
export const PUTTING_BACK = `
CREATE OR REPLACE FUNCTION claw.renew_run(run_id text, r jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO claw.generations (run, generation, ended_at, input, journal)
  SELECT id, (r->>'generation')::int, (r->>'endedAt')::bigint, input,
    coalesce((SELECT string_agg(entries, '' ORDER BY seq) FROM claw.journal WHERE run = run_id), '')
  FROM claw.runs WHERE id = run_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION '% is not an open run', run_id USING ERRCODE = 'CL001';
  END IF;
  UPDATE claw.runs SET input = r->>'input' WHERE id = run_id;
  PERFORM claw.replace_entries(run_id, 1, (r->>'seq')::int, r->>'journal');
  INSERT INTO claw.inbox
  SELECT run_id, (m->>'seq')::int, m->>'kind', m->>'name', m->>'from', m->>'data'
  FROM jsonb_array_elements(r->'inbox') m;
END $$;
`;
