import type { DatabaseSync } from "node:sqlite";
import type { HeldHead, KeyPlace } from "@claw/core/protocol";
import { KEY_CONTRADICTIONS } from "../check-keys.ts";
import type { Tell } from "./repair-store.ts";

type Member = {
  run: string;
  namespace: string;
  workflow: string;
  key: string;
  seq: number;
  place: KeyPlace;
  onHeldHead: HeldHead;
  held: string | null;
};

const REBUILT = "the queue of the key is built anew";
const KEY = "namespace = :namespace AND workflow = :workflow AND key = :key";

/**
 * Builds the queues of all keys anew when one of them contradicts its runs: the first open run of a key has it, those after it
 * wait in their order. A run that waits for a key which nothing names is quarantined.
 */
export function repairKeys(db: DatabaseSync, tell: Tell): void {
  const messages = KEY_CONTRADICTIONS.flatMap((query) =>
    db
      .prepare(query)
      .all()
      .map((row) => String(Object.values(row)[0])),
  );
  if (messages.length === 0) return;
  const lost = db.prepare(`
    UPDATE runs SET held = 'quarantined', due = NULL,
      held_reason = 'it waited for a key, and nothing says for which'
    WHERE held = 'queued' AND NOT EXISTS (SELECT 1 FROM keyed_runs WHERE run = runs.id)`);
  lost.run();
  db.exec(`
    DELETE FROM keyed_runs WHERE NOT EXISTS (SELECT 1 FROM runs WHERE id = run)
      AND NOT EXISTS (SELECT 1 FROM closed WHERE id = run);
    UPDATE keyed_runs SET place = 'ended' WHERE NOT EXISTS (SELECT 1 FROM runs WHERE id = run)`);
  const members = db.prepare(`
    SELECT m.run, m.namespace, m.workflow, m.key, m.seq, m.place, m.on_held_head AS onHeldHead, r.held
    FROM keyed_runs m JOIN runs r ON r.id = m.run WHERE m.place <> 'ended'
    ORDER BY m.namespace, m.workflow, m.key, m.place <> 'head', m.seq`);
  const queues = Map.groupBy(members.all() as Member[], ({ namespace, workflow, key }) =>
    [namespace, workflow, key].join("\u001f"),
  );
  const heads = db.prepare("SELECT namespace, workflow, key FROM keys").all();
  for (const { namespace, workflow, key } of heads) {
    if (queues.has([namespace, workflow, key].join("\u001f"))) continue;
    statement(db, `DELETE FROM keys WHERE ${KEY}`).run({
      namespace: namespace ?? "",
      workflow: workflow ?? "",
      key: key ?? "",
    });
  }
  for (const queue of queues.values()) rebuild(db, queue);
  for (const message of messages) tell(message, REBUILT);
}

function rebuild(db: DatabaseSync, queue: readonly Member[]): void {
  const candidates = queue.filter(({ place }) => place !== "aside");
  const head = candidates[0] ?? queue[0];
  if (head === undefined) return;
  const { namespace, workflow, key } = head;
  const name = { namespace, workflow, key };
  const waiting = candidates.filter((member) => member !== head);
  const place = db.prepare("UPDATE keyed_runs SET place = ? WHERE run = ?");
  place.run("head", head.run);
  db.prepare(
    "UPDATE runs SET held = '', held_reason = '', due = 1 WHERE id = ? AND held = 'queued'",
  ).run(head.run);
  for (const { run } of waiting) {
    place.run("waiting", run);
    db.prepare(
      "UPDATE runs SET held = 'queued', held_reason = '', due = NULL WHERE id = ? AND held = ''",
    ).run(run);
  }
  // Who stepped aside and is not held any more would go on beside the head.
  for (const { run, held } of queue) {
    if (run === head.run || waiting.some((member) => member.run === run) || held !== "") continue;
    db.prepare(
      "UPDATE runs SET held = 'paused', held_reason = 'others have its key', due = NULL WHERE id = ?",
    ).run(run);
  }
  const last = Math.max(...queue.map(({ seq }) => seq));
  statement(
    db,
    `INSERT INTO keys VALUES (:namespace, :workflow, :key, :last, :head, 0, :waiting, 0)
     ON CONFLICT DO UPDATE SET head = :head, waiting = :waiting, last_seq = max(last_seq, :last)`,
  ).run({ ...name, last, head: head.run, waiting: waiting.length });
}

function statement(db: DatabaseSync, sql: string): ReturnType<DatabaseSync["prepare"]> {
  return db.prepare(sql);
}
