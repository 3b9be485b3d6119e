import { ClawError } from "@claw/core/protocol";
import type { FastifyInstance } from "fastify";
import { checkSignature, deliveryEvent } from "../github.ts";
import type { Desk } from "../desk.ts";
import { statusOf } from "./events.ts";
import { bytesOf, takeRawBodies } from "./raw-body.ts";

/** GitHub's webhooks: signed, so neither token nor loopback name is asked for. */
export function githubRoutes(room: FastifyInstance, desk: Desk): void {
  takeRawBodies(room);
  room.post("/webhooks/github", async ({ headers, body }, reply) => {
    const secret = desk.options.github?.secret ?? "";
    if (secret === "") throw new ClawError("CLAW-5003", "This process has no webhook secret");
    const bytes = bytesOf(body);
    // Before a look at the content: nothing unsigned is parsed.
    checkSignature(headers, bytes, secret);
    const result = await desk.claw().publish(deliveryEvent(headers, bytes));
    return reply.code(statusOf(result)).send(result);
  });
}
