import { isClawError } from "@claw/core/protocol";
import type { FastifyInstance } from "fastify";
import type { Desk } from "../desk.ts";

/** Health for supervisors: alive as long as it answers, ready while its runtime takes work. */
export function healthRoutes(app: FastifyInstance, desk: Desk): void {
  app.get("/livez", async () => ({ status: "live" }));
  app.get("/readyz", async (_request, reply) => {
    try {
      desk.claw().assertReady();
      return { status: "ready" };
    } catch (error) {
      if (!isClawError(error)) throw error;
      // Anybody may ask: where the store is, is none of their business.
      const { code, title } = error;
      return reply.code(503).send({ status: "unavailable", code, title });
    }
  });
}
