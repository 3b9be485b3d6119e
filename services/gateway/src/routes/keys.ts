import type { FastifyInstance } from "fastify";
import type { Desk } from "../desk.ts";

/** Keys of workflows: their states, and the runs that wait for them. */
export function keyRoutes(room: FastifyInstance, desk: Desk): void {
  room.get<{ Params: { workflow: string; key: string } }>(
    "/v1/keys/:workflow/:key",
    async ({ params }) => {
      const { state, ...rest } = await desk.claw().state(params.workflow, params.key);
      return { ...rest, state: state ?? null };
    },
  );
}
