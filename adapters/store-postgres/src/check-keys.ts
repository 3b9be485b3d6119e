/** Queues of keys that contradict each other or the runs in them; each query answers a line of text per contradiction. */
export const KEY_CONTRADICTIONS: readonly string[] = [
  `SELECT 'run ' || r.id || ' waits for its key but stands in no queue' FROM claw.runs r
   WHERE r.held = 'queued' AND r.held <> ''
   AND NOT EXISTS (SELECT 1 FROM claw.keyed_runs WHERE run = r.id AND place = 'waiting')`,
  `SELECT 'run ' || m.run || ' waits for the key ' || m.key || ', which nobody will hand on'
   FROM claw.keyed_runs m WHERE m.place = 'waiting' AND NOT EXISTS (
     SELECT 1 FROM claw.keys k JOIN claw.runs r ON r.id = k.head
     WHERE k.namespace = m.namespace AND k.workflow = m.workflow AND k.key = m.key)`,
  `SELECT 'run ' || m.run || ' is ' || m.place || ' in the queue of a key but is no open run that rests there'
   FROM claw.keyed_runs m WHERE m.place = 'waiting'
   AND NOT EXISTS (SELECT 1 FROM claw.runs WHERE id = m.run AND held <> '')`,
  `SELECT 'run ' || k.head || ' has the key ' || k.key || ' but is no open run at its head' FROM claw.keys k
   WHERE k.head <> '' AND NOT EXISTS (
     SELECT 1 FROM claw.keyed_runs m JOIN claw.runs r ON r.id = m.run
     WHERE m.run = k.head AND m.place = 'head' AND r.held <> 'queued')`,
  `SELECT 'run ' || m.run || ' is at the head of the key ' || m.key || ', which another has'
   FROM claw.keyed_runs m WHERE m.place IN ('head', 'aside') AND NOT EXISTS (
     SELECT 1 FROM claw.runs r WHERE r.id = m.run AND (m.place = 'head' OR r.held <> ''))
   OR m.place = 'head' AND NOT EXISTS (
     SELECT 1 FROM claw.keys k WHERE k.head = m.run
     AND k.namespace = m.namespace AND k.workflow = m.workflow AND k.key = m.key)`,
  `SELECT 'the key ' || k.key || ' counts ' || k.waiting || ' waiting runs of others than wait' FROM claw.keys k
   WHERE k.waiting <> (SELECT count(*) FROM claw.keyed_runs m WHERE m.namespace = k.namespace
     AND m.workflow = k.workflow AND m.key = k.key AND m.place = 'waiting')`,
  `SELECT 'the key ' || key || ' has a queue without runs' FROM claw.keys WHERE head = ''`,
];
