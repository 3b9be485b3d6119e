import type { EventInput, PublishResult } from "@claw/runtime";
import type { FastifyInstance } from "fastify";
import { eventsOf, modeOf } from "../cloud-events.ts";
import { asClawError, problemOf, type Problem } from "../problem.ts";
import type { Desk } from "../desk.ts";
import { bytesOf, takeRawBodies } from "./raw-body.ts";
import { traceOf } from "./request-parts.ts";

/** What became of one event of a batch. */
type BatchResult = PublishResult | { readonly status: "refused"; readonly problem: Problem };

/** Ingress of CloudEvents. */
export function eventRoutes(room: FastifyInstance, desk: Desk): void {
  takeRawBodies(room);
  room.post("/v1/events", async ({ headers, body }, reply) => {
    const events = eventsOf(headers, bytesOf(body)).map((event) =>
      event.traceparent === undefined ? { ...event, ...traceOf(headers) } : event,
    );
    if (modeOf(headers["content-type"] ?? "") === "batch") {
      const results = await publishAll(desk, events);
      const isRefused = results.some(({ status }) => status === "refused");
      return reply.code(isRefused ? 207 : 202).send({ results });
    }
    const [event] = events;
    const result = await desk.claw().publish(event as EventInput);
    return reply.code(statusOf(result)).send(result);
  });
}

/** 202 for a new event, 200 for one that is known. */
export function statusOf({ status }: PublishResult): number {
  return status === "accepted" ? 202 : 200;
}

// Asked for in order and at once: the runtime commits them together, in the order of asking.
async function publishAll(desk: Desk, events: readonly EventInput[]): Promise<BatchResult[]> {
  const claw = desk.claw();
  const settled = await Promise.allSettled(events.map((event) => claw.publish(event)));
  return settled.map((one) => {
    if (one.status === "fulfilled") return one.value;
    // What nobody foresaw fails the whole request and is logged.
    if (asClawError(one.reason) === null) throw one.reason as Error;
    return { status: "refused", problem: problemOf(one.reason) };
  });
}
