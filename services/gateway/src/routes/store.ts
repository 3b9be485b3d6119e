import { isAbsolute } from "node:path";
import { ClawError } from "@claw/core/protocol";
import { jsonSchemaOf } from "@claw/sdk";
import type { FastifyInstance } from "fastify";
import { fieldsOf, parseJson, textOf } from "../body.ts";
import type { Desk } from "../desk.ts";
import type { StatusView } from "../wire.ts";
import { bytesOf } from "./raw-body.ts";

/** The process and its store. Stands in the room of the run routes, which take raw bodies. */
export function storeRoutes(room: FastifyInstance, desk: Desk): void {
  room.post("/v1/backup", async ({ body }) => {
    const { path } = fieldsOf(parseJson(textOf(bytesOf(body))));
    if (typeof path !== "string" || !isAbsolute(path) || path.includes("\0")) {
      throw new ClawError("CLAW-5002", "path is not an absolute path");
    }
    await desk.claw().backup(path);
    return { path };
  });
  room.post("/v1/retention", async ({ body }) => {
    const { dryRun, keep } = fieldsOf(parseJson(textOf(bytesOf(body))));
    if (typeof dryRun !== "boolean") throw new ClawError("CLAW-5002", "dryRun is not a boolean");
    return desk.claw().sweep({ dryRun, keep: fieldsOf(keep ?? {}) });
  });
  room.get("/v1/nodes", async () => ({ items: await desk.claw().nodes() }));
  room.get("/v1/status", async (): Promise<StatusView> => {
    const claw = desk.claw();
    return {
      version: desk.options.version ?? "0.0.0",
      pid: process.pid,
      namespace: claw.namespace,
      store: claw.store,
      stats: claw.stats(),
      workflows: claw.workflows.map((workflow) => ({
        name: workflow.name,
        version: workflow.version,
        triggers: workflow.triggers.map(({ type }) => type),
        input: jsonSchemaOf(workflow.options.input),
      })),
      tasks: claw.taskNames,
    };
  });
}
