import {
  ClawError,
  describeError,
  durationMs,
  type ErrorCode,
  ERRORS,
  recordError,
  StepError,
} from "@claw/core/protocol";
import type { UpdateRequest } from "@claw/runtime";
import type { FastifyInstance } from "fastify";
import type { Desk } from "../desk.ts";
import { bodyOf, runIdOf, textField } from "./request-parts.ts";

/** Longest time that a request waits for the answer of an update; ask again with its id to wait on. */
const WAIT_MS_MAX = 60_000;

type Named = { Params: { id: string; name: string } };

/** Queries and updates of a run. Stands in the room of the run routes, which take raw bodies. */
export function visitRoutes(room: FastifyInstance, desk: Desk): void {
  room.post<Named>("/v1/runs/:id/queries/:name", async ({ params, body }) => {
    const { input } = bodyOf(body);
    return { value: (await desk.claw().query(runIdOf(params.id), params.name, input)) ?? null };
  });
  room.post<Named>("/v1/runs/:id/updates/:name", async ({ params, headers, body }) => {
    const { input, id, timeout } = bodyOf(body);
    const key = textField("id", id ?? headers["idempotency-key"]);
    const request: UpdateRequest = {
      timeout: waitOf(timeout),
      ...(key === undefined ? {} : { id: key }),
    };
    const asked = desk.claw().update(runIdOf(params.id), params.name, input, request);
    return { value: (await untilStopped(desk, asked)) ?? null };
  });
}

function waitOf(timeout: unknown): number {
  if (timeout === undefined) return WAIT_MS_MAX;
  if (typeof timeout !== "string" && typeof timeout !== "number") {
    throw new ClawError("CLAW-5002", "timeout is not a duration");
  }
  return Math.min(WAIT_MS_MAX, durationMs(timeout));
}

async function untilStopped(desk: Desk, asked: Promise<unknown>): Promise<unknown> {
  const stopped = Promise.withResolvers<never>();
  const stop = (): void => stopped.reject(new ClawError("CLAW-3005", "This process is stopping"));
  desk.stopping.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([asked, stopped.promise]);
  } catch (error) {
    throw error instanceof StepError ? asAnswer(error) : error;
  } finally {
    desk.stopping.removeEventListener("abort", stop);
  }
}

// What a handler threw is the author's: it has a code of ours, or stands in the details.
function asAnswer(error: StepError): ClawError {
  if (Object.hasOwn(ERRORS, error.code)) {
    return new ClawError(error.code as ErrorCode, error.message);
  }
  const { stack: _stack, ...record } = recordError(error);
  return new ClawError("CLAW-3008", describeError(record), { details: { error: record } });
}
