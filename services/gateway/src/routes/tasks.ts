import { ClawError, type Duration, limits, type TaskStatus } from "@claw/core/protocol";
import type { DeadLetterQuery, EnqueueOptions } from "@claw/runtime";
import type { FastifyInstance } from "fastify";
import type { Desk } from "../desk.ts";
import { queueView, taskView } from "../wire.ts";
import { bodyOf, textField } from "./request-parts.ts";

const ROWS_DEFAULT = 50;
const ROWS_MAX = 1_000;

const STATUSES: Readonly<Record<TaskStatus, true>> = {
  ready: true,
  waiting: true,
  dead: true,
  completed: true,
};

type Fields = Readonly<Record<string, unknown>>;
type Query = { Querystring: Fields };
type TaskParams = { Params: { id: string } };

/** Standalone tasks and their queues. Stands in the room of the run routes, which take raw bodies. */
export function taskRoutes(room: FastifyInstance, desk: Desk): void {
  room.post("/v1/tasks", async ({ headers, body }, reply) => {
    const fields = bodyOf(body);
    const { task, input } = fields;
    if (typeof task !== "string") throw new ClawError("CLAW-5002", "task is not a text");
    const options = enqueueOptionsOf(fields, headers["idempotency-key"]);
    const enqueued = await desk.claw().enqueue(task, input, options);
    reply.code(enqueued.existing ? 200 : 201).header("location", `/v1/tasks/${enqueued.id}`);
    return enqueued;
  });
  room.get<Query>("/v1/tasks", async ({ query }) => {
    const limit = countOf("limit", textField("limit", query["limit"]), ROWS_MAX) ?? ROWS_DEFAULT;
    const status = statusOf(query["status"]);
    const before = textField("before", query["before"]);
    const asked = {
      ...filterOf(query),
      limit,
      ...(status === undefined ? {} : { status }),
      ...(before === undefined ? {} : { before }),
    };
    const tasks = await desk.claw().tasks(asked);
    const last = tasks.length === limit ? tasks.at(-1) : undefined;
    return { items: tasks.map(taskView), next: last?.id ?? null };
  });
  room.get<TaskParams>("/v1/tasks/:id", async ({ params }) => {
    const task = await desk.claw().findTask(params.id);
    if (task === null) throw new ClawError("CLAW-3071", `There is no task ${params.id}`);
    return taskView(task);
  });
  room.get("/v1/queues", async () => ({ items: (await desk.claw().queues()).map(queueView) }));
  redriveRoutes(room, desk);
}

function redriveRoutes(room: FastifyInstance, desk: Desk): void {
  room.post<TaskParams>("/v1/tasks/:id/redrive", async ({ params }, reply) => {
    await desk.claw().redrive(params.id);
    return reply.code(202).send({ status: "accepted" });
  });
  room.post("/v1/redrive", async ({ body }) => {
    const fields = bodyOf(body);
    const { dryRun } = fields;
    if (typeof dryRun !== "boolean") throw new ClawError("CLAW-5002", "dryRun is not a boolean");
    const limit = countOf("limit", fields["limit"], limits.REDRIVE_MAX);
    const query = { ...filterOf(fields), ...(limit === undefined ? {} : { limit }) };
    return desk.claw().redriveAll(query, { dryRun });
  });
}

function filterOf(fields: Fields): DeadLetterQuery {
  const asked = (name: string): string | undefined => textField(name, fields[name]);
  const [queue, task, error] = ["queue", "task", "error"].map(asked);
  return {
    ...(queue === undefined ? {} : { queue }),
    ...(task === undefined ? {} : { task }),
    ...(error === undefined ? {} : { error }),
  };
}

function enqueueOptionsOf(fields: Fields, header: unknown): EnqueueOptions {
  const { priority, delay, idempotencyKey } = fields;
  const queue = textField("queue", fields["queue"]);
  const key = textField("idempotencyKey", idempotencyKey ?? header);
  if (priority !== undefined && typeof priority !== "number") {
    throw new ClawError("CLAW-5002", "priority is not a number");
  }
  return {
    ...(queue === undefined ? {} : { queue }),
    ...(priority === undefined ? {} : { priority }),
    ...(delay === undefined ? {} : { delay: durationField(delay) }),
    ...(key === undefined ? {} : { idempotencyKey: key }),
  };
}

function durationField(value: unknown): Duration {
  if (typeof value === "string" || typeof value === "number") return value;
  throw new ClawError("CLAW-5002", "delay is not a duration");
}

function statusOf(value: unknown): TaskStatus | undefined {
  const status = textField("status", value);
  if (status === undefined) return undefined;
  if (Object.hasOwn(STATUSES, status)) return status as TaskStatus;
  throw new ClawError("CLAW-5002", `status is none of ${Object.keys(STATUSES).join(", ")}`);
}

function countOf(name: string, value: unknown, max: number): number | undefined {
  if (value === undefined) return undefined;
  const count = Number(value);
  if (Number.isSafeInteger(count) && count >= 1 && count <= max) return count;
  throw new ClawError("CLAW-5002", `${name} is not a whole number from 1 to ${max}`);
}
