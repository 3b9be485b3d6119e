import { ClawError, type Decision, type OpenApproval } from "@claw/core/protocol";
import type { ApprovalsQuery } from "@claw/runtime";
import type { FastifyInstance } from "fastify";
import type { Desk } from "../desk.ts";
import { type ApprovalView, approvalView } from "../wire.ts";
import { bodyOf, runIdOf, textField } from "./request-parts.ts";

const ROWS_DEFAULT = 50;
const ROWS_MAX = 1_000;

type Query = { Querystring: Readonly<Record<string, unknown>> };
type RunParams = { Params: { id: string } };

/** Open approvals and their decisions. Stands in the room of the run routes, which take raw bodies. */
export function approvalRoutes(room: FastifyInstance, desk: Desk): void {
  room.get<Query>("/v1/approvals", async ({ query }) => {
    const run = textField("run", query["run"]);
    const asked = { ...queryOf(query), ...(run === undefined ? {} : { run: runIdOf(run) }) };
    return answerOf(await desk.claw().approvals(asked));
  });
  room.get<RunParams & Query>("/v1/runs/:id/approvals", async ({ params, query }) =>
    answerOf(await desk.claw().approvals({ ...queryOf(query), run: runIdOf(params.id) })),
  );
  room.post<RunParams>("/v1/runs/:id/approvals", async ({ params, body }) => {
    const { call, by, decision, comment, value } = bodyOf(body);
    if (typeof call !== "string") throw new ClawError("CLAW-5002", "call is not a text");
    if (typeof by !== "string") throw new ClawError("CLAW-5002", "by is not a text");
    if (decision !== "approve" && decision !== "reject") {
      throw new ClawError("CLAW-5002", 'decision is neither "approve" nor "reject"');
    }
    const said = textField("comment", comment);
    const given: Decision = {
      by,
      decision,
      value,
      ...(said === undefined ? {} : { comment: said }),
    };
    await desk.claw().approve(runIdOf(params.id), call, given);
    return { status: "accepted" };
  });
}

function answerOf(approvals: readonly OpenApproval[]): { items: ApprovalView[] } {
  return { items: approvals.map(approvalView) };
}

function queryOf(query: Readonly<Record<string, unknown>>): ApprovalsQuery {
  const assignee = textField("assignee", query["assignee"]);
  const limit = Number(textField("limit", query["limit"]) ?? ROWS_DEFAULT);
  if (!(Number.isSafeInteger(limit) && limit >= 1 && limit <= ROWS_MAX)) {
    throw new ClawError("CLAW-5002", `limit is not a whole number from 1 to ${ROWS_MAX}`);
  }
  return { limit, ...(assignee === undefined ? {} : { assignee }) };
}
