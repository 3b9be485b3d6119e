import { ClawError } from "@claw/core/protocol";
import type { FastifyInstance } from "fastify";
import type { Desk } from "../desk.ts";
import { takeRawBodies } from "./raw-body.ts";
import { bodyOf, runIdOf, textField } from "./request-parts.ts";

type RunParams = { Params: { id: string } };
type CallParams = { Params: { id: string; call: string } };

const ACCEPTED = { status: "accepted" };

/** What an operator can do to a run: pause, resume, terminate, fork, retry, skip. */
export function operationRoutes(room: FastifyInstance, desk: Desk): void {
  takeRawBodies(room);
  room.post<RunParams>("/v1/runs/:id/pause", async ({ params, body }, reply) => {
    const note = textField("note", bodyOf(body)["note"]);
    await desk.claw().pause(runIdOf(params.id), note);
    return reply.code(202).send(ACCEPTED);
  });
  room.post<RunParams>("/v1/runs/:id/resume", async ({ params }, reply) => {
    await desk.claw().resume(runIdOf(params.id));
    return reply.code(202).send(ACCEPTED);
  });
  room.post<RunParams>("/v1/runs/:id/terminate", async ({ params, body }, reply) => {
    const reason = textField("reason", bodyOf(body)["reason"]);
    await desk.claw().terminate(runIdOf(params.id), reason);
    return reply.code(202).send(ACCEPTED);
  });
  room.post<RunParams>("/v1/runs/:id/fork", async ({ params, body }, reply) => {
    const fields = bodyOf(body);
    const from = mandatory("from", fields["from"]);
    const input = Object.hasOwn(fields, "input") ? { input: fields["input"] } : {};
    const forked = await desk.claw().fork(runIdOf(params.id), { from, ...input });
    return reply.code(201).header("location", `/v1/runs/${forked.id}`).send(forked);
  });
  room.post<RunParams>("/v1/runs/:id/retry", async ({ params }, reply) => {
    const forked = await desk.claw().retry(runIdOf(params.id));
    return reply.code(201).header("location", `/v1/runs/${forked.id}`).send(forked);
  });
  room.post<CallParams>("/v1/runs/:id/calls/:call/skip", async ({ params, body }, reply) => {
    const { value, by } = bodyOf(body);
    const options = { by: mandatory("by", by) };
    await desk.claw().skip(runIdOf(params.id), params.call, value, options);
    return reply.code(202).send(ACCEPTED);
  });
}

function mandatory(name: string, value: unknown): string {
  const text = textField(name, value);
  if (text === undefined || text === "") throw new ClawError("CLAW-5002", `${name} is missing`);
  return text;
}
