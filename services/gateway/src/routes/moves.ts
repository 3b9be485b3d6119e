import { isAbsolute } from "node:path";
import { Readable } from "node:stream";
import { ClawError, type RunStatus } from "@claw/core/protocol";
import { exportFile, type ExportSelection, type ImportReport } from "@claw/runtime";
import type { FastifyInstance } from "fastify";
import { fieldsOf, parseJson, textOf } from "../body.ts";
import type { Desk } from "../desk.ts";
import { problemOf } from "../problem.ts";
import { bytesOf } from "./raw-body.ts";

const LINES = "application/x-ndjson";
/** Time between two lines that tell how far an import has come. */
const PROGRESS_MS = 500;

/** Runs leave the store and come into it. Stands in the room of the run routes, which take raw bodies. */
export function moveRoutes(room: FastifyInstance, desk: Desk): void {
  room.post("/v1/export", async ({ body }, reply) => {
    const fields = fieldsOf(parseJson(textOf(bytesOf(body))));
    const plain = fields["plain"] === true;
    const lines = desk.claw().exportRuns(selectionOf(fields), { plain })[Symbol.asyncIterator]();
    // What is wrong from the beginning is answered as a problem; later only the missing last line can tell.
    const first = await lines.next();
    return reply.type(LINES).send(Readable.from(goingOn(first, lines)));
  });
  room.post("/v1/import", async ({ body }, reply) => {
    const fields = fieldsOf(parseJson(textOf(bytesOf(body))));
    const { path } = fields;
    if (typeof path !== "string" || !isAbsolute(path) || path.includes("\0")) {
      throw new ClawError("CLAW-5002", "path is not an absolute path");
    }
    const options = {
      resume: fields["resume"] === true,
      intoOtherNamespace: fields["intoOtherNamespace"] === true,
    };
    return reply.type(LINES).send(Readable.from(importLines(desk, path, options)));
  });
}

async function* goingOn(
  first: IteratorResult<string>,
  rest: AsyncIterator<string>,
): AsyncGenerator<string> {
  try {
    for (let next = first; next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

// Lines {"progress"} while it goes on, then {"report"} or {"problem"}.
async function* importLines(
  desk: Desk,
  path: string,
  options: { readonly resume: boolean; readonly intoOtherNamespace: boolean },
): AsyncGenerator<string> {
  let progress: object | null = null;
  const outcome: object[] = [];
  const onProgress = (now: object): void => {
    progress = now;
  };
  const importing = desk
    .claw()
    .importRuns(exportFile(path), { ...options, onProgress })
    .then(
      (report: ImportReport) => {
        outcome.push({ report });
      },
      (error: unknown) => {
        outcome.push({ problem: problemOf(error) });
      },
    );
  while (outcome.length === 0) {
    await Promise.race([importing, new Promise((resolve) => setTimeout(resolve, PROGRESS_MS))]);
    if (outcome.length === 0) yield `${JSON.stringify({ progress })}\n`;
  }
  yield `${JSON.stringify(outcome[0])}\n`;
}

function selectionOf(fields: Readonly<Record<string, unknown>>): ExportSelection {
  const { runs, workflow, status, since } = fields;
  const text = (value: unknown, name: string): string => {
    if (typeof value === "string") return value;
    throw new ClawError("CLAW-5002", `${name} is no text`);
  };
  if (since !== undefined && !Number.isSafeInteger(since)) {
    throw new ClawError("CLAW-5002", "since is no instant");
  }
  if (runs !== undefined && !Array.isArray(runs)) {
    throw new ClawError("CLAW-5002", "runs is no list");
  }
  return {
    ...(runs === undefined ? {} : { runs: runs.map((run) => text(run, "a run")) }),
    ...(workflow === undefined ? {} : { workflow: text(workflow, "workflow") }),
    ...(status === undefined ? {} : { status: text(status, "status") as RunStatus }),
    ...(since === undefined ? {} : { since: since as number }),
  };
}
