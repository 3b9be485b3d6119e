import { ClawError, durationMs, type RunRecord, type RunStatus } from "@claw/core/protocol";
import type { RunQuery } from "@claw/core/ports";
import type { Claw, RunHandle } from "@claw/runtime";
import type { FastifyInstance } from "fastify";
import type { Desk } from "../desk.ts";
import { entryView, runDetailView, runView } from "../wire.ts";
import { takeRawBodies } from "./raw-body.ts";
import { bodyOf, runIdOf, textField, traceOf } from "./request-parts.ts";

/** Longest time that a request waits for the end of a run; ask again to wait on. */
const WAIT_MS_MAX = 60_000;
const LIST_ROWS_DEFAULT = 50;
const LIST_ROWS_MAX = 1_000;

const STATUSES: Readonly<Record<RunStatus, true>> = {
  running: true,
  waiting: true,
  diverged: true,
  bug: true,
  stuck: true,
  no_code: true,
  completed: true,
  failed: true,
  cancelled: true,
  compensated: true,
  compensating: true,
  paused: true,
  quarantined: true,
  unreadable: true,
  queued: true,
  terminated: true,
};

type RunParams = { Params: { id: string } };
type Query = { Querystring: Readonly<Record<string, unknown>> };

/** Control of runs: start, look, send, stop. */
export function runRoutes(room: FastifyInstance, desk: Desk): void {
  takeRawBodies(room);
  startRoute(room, desk);
  room.get<Query>("/v1/runs", async ({ query }) => {
    const asked = runQueryOf(query);
    const runs = await desk.claw().list(asked);
    const last = runs.length === asked.limit ? runs.at(-1) : undefined;
    return { items: runs.map(runView), next: last?.id ?? null };
  });
  room.get<RunParams & Query>("/v1/runs/:id", async ({ params, query }) => {
    const id = runIdOf(params.id);
    const claw = desk.claw();
    if (query["wait"] !== undefined) await waitForEnd(desk, claw.run(id), query["wait"]);
    return runDetailView(await found(claw, id));
  });
  room.get<RunParams>("/v1/runs/:id/journal", async ({ params }) => {
    const run = await found(desk.claw(), runIdOf(params.id));
    return { items: run.journal.map(entryView) };
  });
  messageRoutes(room, desk);
}

function startRoute(room: FastifyInstance, desk: Desk): void {
  room.post("/v1/runs", async ({ headers, body }, reply) => {
    const { workflow, input, idempotencyKey, wait } = bodyOf(body);
    if (typeof workflow !== "string") throw new ClawError("CLAW-5002", "workflow is not a text");
    const key = textField("idempotencyKey", idempotencyKey ?? headers["idempotency-key"]);
    const claw = desk.claw();
    const options = { ...traceOf(headers), ...(key === undefined ? {} : { idempotencyKey: key }) };
    const run = await claw.start(workflow, input, options);
    reply.code(run.existing ? 200 : 201).header("location", `/v1/runs/${run.id}`);
    const answer = { id: run.id, existing: run.existing };
    if (wait === undefined) return answer;
    await waitForEnd(desk, run, wait);
    return { ...answer, run: runDetailView(await found(claw, run.id)) };
  });
}

function messageRoutes(room: FastifyInstance, desk: Desk): void {
  room.post<{ Params: { id: string; name: string } }>(
    "/v1/runs/:id/signals/:name",
    async ({ params, headers, body }, reply) => {
      const { value, id } = bodyOf(body);
      const key = textField("id", id ?? headers["idempotency-key"]);
      const options = key === undefined ? {} : { id: key };
      await desk.claw().signal(runIdOf(params.id), params.name, value, options);
      return reply.code(202).send({ status: "accepted" });
    },
  );
  room.post<RunParams>("/v1/runs/:id/cancel", async ({ params, body }, reply) => {
    const reason = textField("reason", bodyOf(body)["reason"]);
    await desk.claw().cancel(runIdOf(params.id), reason);
    return reply.code(202).send({ status: "accepted" });
  });
  room.post<RunParams>("/v1/runs/:id/release", async ({ params }, reply) => {
    await desk.claw().release(runIdOf(params.id));
    return reply.code(202).send({ status: "accepted" });
  });
}

async function found(claw: Claw, id: string): Promise<RunRecord> {
  const run = await claw.find(id);
  if (run === null) throw new ClawError("CLAW-3001", `There is no run ${id}`);
  return run;
}

// The time being over is no error here: the answer shows the run as it stands.
async function waitForEnd(desk: Desk, run: RunHandle, wait: unknown): Promise<void> {
  const ms = durationMs(typeof wait === "number" ? wait : String(wait));
  const stopped = Promise.withResolvers<never>();
  const stop = (): void => stopped.reject(new ClawError("CLAW-3005", "This process is stopping"));
  desk.stopping.addEventListener("abort", stop, { once: true });
  try {
    await Promise.race([run.ended({ timeout: Math.min(ms, WAIT_MS_MAX) }), stopped.promise]);
  } catch (error) {
    if (!(error instanceof ClawError && error.code === "CLAW-2012")) throw error;
  } finally {
    desk.stopping.removeEventListener("abort", stop);
  }
}

function runQueryOf(query: Readonly<Record<string, unknown>>): RunQuery {
  const asked = (name: string): string | undefined => textField(name, query[name]);
  const rows = Number(asked("limit") ?? LIST_ROWS_DEFAULT);
  if (!(Number.isSafeInteger(rows) && rows >= 1 && rows <= LIST_ROWS_MAX)) {
    throw new ClawError("CLAW-5002", `limit is not a whole number from 1 to ${LIST_ROWS_MAX}`);
  }
  const [workflow, status, since, before] = ["workflow", "status", "since", "before"].map(asked);
  if (status !== undefined && !Object.hasOwn(STATUSES, status)) {
    throw new ClawError("CLAW-5002", `status is none of ${Object.keys(STATUSES).join(", ")}`);
  }
  return {
    limit: rows,
    ...(workflow === undefined ? {} : { workflow }),
    ...(status === undefined ? {} : { status: status as RunStatus }),
    ...(since === undefined ? {} : { since: instantOf(since) }),
    ...(before === undefined ? {} : { before: runIdOf(before) }),
  };
}

// "1h" means an hour ago, else an ISO instant.
function instantOf(text: string): number {
  const time = Date.parse(text);
  return Number.isNaN(time) ? Date.now() - durationMs(text) : time;
}
