import type { FastifyInstance } from "fastify";
import type { Desk } from "../desk.ts";

/** Health for supervisors: alive as long as it answers, ready while it has a runtime. */
export function healthRoutes(app: FastifyInstance, desk: Desk): void {
  app.get("/livez", async () => ({ status: "live" }));
  app.get("/readyz", async () => {
    desk.claw().stats();
    return { status: "ready" };
  });
}
