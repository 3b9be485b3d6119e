import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { QueueView, TaskView } from "@claw/gateway/wire";
import { openPlace, type Place } from "./claw.ts";

const TASKS = `
import { existsSync } from "node:fs";
import { task } from "@claw/sdk";

export const mail = task("mail", { queue: "mails", keep: "all", retry: { attempts: 2, initial: "1ms" } },
  (to: string) => {
    if (!existsSync("server-is-up")) throw Object.assign(new Error("no server for " + to), { code: "DOWN" });
    return "sent to " + to;
  });
export const others = [
  task("slow", { queue: "held" }, () => "never"),
];
`;

async function openOwner(t: TestContext, ...flags: string[]): Promise<Place> {
  const place = openPlace(t);
  place.write("jobs/index.ts", TASKS);
  const owner = place.going("start", "jobs", "--port", "0", "--concurrency", "held=0", ...flags);
  await owner.said(/^ready .*\(0 workflows, 2 tasks, store /);
  return place;
}

async function json<T>(place: Place, ...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await place.claw(...args, "-o", "json");
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as T;
}

async function enqueued(place: Place, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await place.claw("enqueue", ...args);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^task_[0-9a-z]+\n$/);
  return stdout.trim();
}

async function until(place: Place, id: string, status: string): Promise<TaskView> {
  for (let look = 0; look < 100; look++) {
    const task = await json<TaskView>(place, "tasks", id);
    if (task.status === status) return task;
  }
  return assert.fail(`${id} did not become ${status}`);
}

test("start works off the queues of exported tasks; tasks lists, shows and counts them", async (t) => {
  const place = await openOwner(t);
  place.write("server-is-up", "");
  const id = await enqueued(place, "mail", "--input", '"ada"', "--key", "k");
  assert.equal((await until(place, id, "completed")).output, "sent to ada");
  assert.equal(await enqueued(place, "mail", "--input", '"ada"', "--key", "k"), id);
  const clash = await place.claw("enqueue", "mail", "--input", '"bob"', "--key", "k");
  assert.deepEqual([clash.code, /CLAW-3003/.test(clash.stderr)], [5, true]);
  await enqueued(place, "slow", "--priority", "7");
  await enqueued(place, "slow", "--delay", "1h");
  const held = await json<TaskView[]>(place, "tasks", "--queue", "held");
  assert.deepEqual(
    held.map(({ task, status, priority }) => [task, status, priority]),
    [
      ["slow", "waiting", 0],
      ["slow", "ready", 7],
    ],
  );
  const counts = await json<QueueView[]>(place, "tasks", "--counts");
  assert.deepEqual(
    counts.map(({ queue, ready, waiting, dead, completed }) => [
      queue,
      ready,
      waiting,
      dead,
      completed,
    ]),
    [
      ["held", 1, 1, 0, 0],
      ["mails", 0, 0, 0, 1],
    ],
  );
  assert.match((await place.claw("tasks", "--counts")).stdout, /QUEUE +READY[^]*held +1 +1 +\d/);
  assert.match(
    (await place.claw("tasks", "--status", "ready")).stdout,
    /ID[^]*slow +held +ready +7/,
  );
  assert.match(
    (await place.claw("tasks", id.slice(5))).stdout,
    /completed[^]*output +"sent to ada"/,
  );
  assert.equal((await place.claw("tasks", "task_zzz")).code, 3);
  assert.equal((await place.claw("enqueue", "nobody")).code, 3);
});

test("dead letters are listed with why, and redriven alone or by a filter, with a preview", async (t) => {
  const place = await openOwner(t);
  const ids = [];
  for (const to of ["a", "b", "c"]) ids.push(await enqueued(place, "mail", "--input", `"${to}"`));
  const [first = "", , last = ""] = ids;
  for (const id of ids) await until(place, id, "dead");
  const letters = await json<TaskView[]>(place, "dead-letters", "--error", "DOWN");
  assert.deepEqual(
    letters.map(({ id, attempt, error }) => [id, attempt, error?.code]),
    ids.toReversed().map((id) => [id, 2, "DOWN"]),
  );
  assert.match((await place.claw("dead-letters")).stdout, /mail +mails +dead[^]*no server for a/);
  assert.match((await place.claw("tasks", first)).stdout, /try +claw redrive task_/);
  place.write("server-is-up", "");
  assert.equal((await place.claw("redrive", first)).stdout, `${first}\n`);
  await until(place, first, "completed");
  assert.equal((await place.claw("redrive", first)).code, 3);
  type Report = { dryRun: boolean; count: number; ids: string[] };
  const rest = ids.slice(1).toReversed();
  const preview = await json<Report>(place, "redrive", "--queue", "mails", "--dry-run");
  assert.deepEqual(preview, { dryRun: true, count: 2, ids: rest });
  assert.equal((await json<Report>(place, "redrive", "--error", "OTHER")).count, 0);
  assert.deepEqual((await json<Report>(place, "redrive", "--task", "mail", "--limit", "1")).ids, [
    last,
  ]);
  const all = await place.claw("redrive", "--all");
  assert.deepEqual([all.code, all.stdout], [0, `${ids[1]}\n`]);
  assert.match(all.stderr, /1 dead letter redriven/);
  for (const id of ids) await until(place, id, "completed");
  assert.equal((await place.claw("redrive")).code, 2);
  assert.equal((await place.claw("redrive", first, "--all")).code, 2);
});

test("without an owner dead letters are redriven in the store, and enqueuing says that nobody has the code", async (t) => {
  const place = openPlace(t);
  place.write("jobs/index.ts", TASKS);
  const owner = place.going("start", "jobs", "--port", "0");
  await owner.said(/^ready /);
  const id = await enqueued(place, "mail", "--input", '"a"');
  await until(place, id, "dead");
  owner.kill("SIGTERM");
  await owner.ended();
  assert.equal((await place.claw("redrive", id)).code, 0);
  assert.equal((await json<TaskView>(place, "tasks", id)).status, "waiting");
  const refused = await place.claw("enqueue", "mail");
  assert.deepEqual([refused.code, /CLAW-5006/.test(refused.stderr)], [9, true]);
});
