import type { AddressInfo } from "node:net";
import { ClawError } from "@claw/core/protocol";
import type { Log } from "@claw/core/ports";
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { checkOrigin, checkToken, isLoopback } from "./access.ts";
import type { Desk, GatewayOptions } from "./desk.ts";
import { asClawError, problemOf } from "./problem.ts";
import { approvalRoutes } from "./routes/approvals.ts";
import { eventRoutes } from "./routes/events.ts";
import { feedRoutes } from "./routes/feeds.ts";
import { githubRoutes } from "./routes/github.ts";
import { healthRoutes } from "./routes/health.ts";
import { keyRoutes } from "./routes/keys.ts";
import { operationRoutes } from "./routes/operations.ts";
import { moveRoutes } from "./routes/moves.ts";
import { runRoutes } from "./routes/runs.ts";
import { storeRoutes } from "./routes/store.ts";
import { taskRoutes } from "./routes/tasks.ts";
import { visitRoutes } from "./routes/visits.ts";

/** A gateway that listens. */
export interface Gateway {
  /** Where to reach it, for example "http://127.0.0.1:7420". */
  readonly address: string;
  readonly port: number;
  /** Ends waiting requests with CLAW-3005, answers the others, stops listening. Idempotent. */
  stop(): Promise<void>;
}

const PORT_DEFAULT = 7420;
const TOKEN_CHARS_MIN = 16;
const BODY_BYTES_MAX = 25 * 1024 * 1024;
const REQUESTS_MAX = 1_000;
/** A request must have come in whole by then. */
const RECEIVE_MS_MAX = 30_000;
/** A name of 200 characters, each of them up to 3 bytes written as %XX. */
const PATH_PART_CHARS_MAX = 1_800;
const RETRY_AFTER_S = "1";

/**
 * Starts to listen. Errors: CLAW-5001 the port is taken; a RangeError for options that cannot be.
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const host = options.host ?? "127.0.0.1";
  if (options.token.length < TOKEN_CHARS_MIN) throw new RangeError("the token is too short");
  if (options.openIngress === true && !isLoopback(host)) {
    throw new RangeError("openIngress needs a loopback address");
  }
  const stopping = new AbortController();
  const { claw } = options;
  const desk: Desk = {
    claw: typeof claw === "function" ? claw : () => claw,
    options,
    stopping: stopping.signal,
  };
  const app = makeApp(desk);
  await listen(app, host, options.port ?? PORT_DEFAULT);
  const { port } = app.server.address() as AddressInfo;
  return {
    address: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
    port,
    stop: async () => {
      stopping.abort();
      await app.close();
    },
  };
}

function makeApp(desk: Desk): FastifyInstance {
  const app = fastify({
    logger: false,
    bodyLimit: desk.options.bodyBytesMax ?? BODY_BYTES_MAX,
    requestTimeout: RECEIVE_MS_MAX,
    return503OnClosing: false,
    routerOptions: { maxParamLength: PATH_PART_CHARS_MAX },
    frameworkErrors: (error, _request, reply) => void sendProblem(error, reply),
  });
  app.setErrorHandler((error, request, reply) => {
    const known = asClawError(error);
    if (known === null) logUnforeseen(desk.options.log, request, error);
    return sendProblem(error, reply);
  });
  app.setNotFoundHandler((request, reply) =>
    sendProblem(new ClawError("CLAW-5004", `There is no ${request.method} at this path`), reply),
  );
  limitRequests(app, desk);
  logRequests(app, desk.options.log);
  // A plugin is a room of its own: hooks and parsers hold inside it only.
  app.register(async (room) => healthRoutes(room, desk));
  app.register(async (room) => githubRoutes(room, desk));
  app.register(async (room) => {
    guard(room, desk, desk.options.openIngress !== true);
    eventRoutes(room, desk);
  });
  app.register(async (room) => {
    guard(room, desk, true);
    runRoutes(room, desk);
    visitRoutes(room, desk);
    approvalRoutes(room, desk);
    storeRoutes(room, desk);
    keyRoutes(room, desk);
    moveRoutes(room, desk);
    taskRoutes(room, desk);
  });
  app.register(async (room) => {
    guard(room, desk, true);
    operationRoutes(room, desk);
    feedRoutes(room, desk);
  });
  return app;
}

async function listen(app: FastifyInstance, host: string, port: number): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    await app.close();
    if ((error as { code?: unknown }).code !== "EADDRINUSE") throw error;
    throw new ClawError("CLAW-5001", `Port ${port} of ${host} is taken`, { details: { port } });
  }
}

// onRequest comes before the body is read: what is not allowed in costs no memory.
function guard(room: FastifyInstance, desk: Desk, asksToken: boolean): void {
  room.addHook("onRequest", async ({ headers }) => {
    checkOrigin(headers, desk.options.hostNames ?? []);
    if (asksToken) checkToken(headers, desk.options.token);
  });
}

function limitRequests(app: FastifyInstance, desk: Desk): void {
  const requestsMax = desk.options.requestsMax ?? REQUESTS_MAX;
  const underWay = new Set<FastifyRequest>();
  app.addHook("onRequest", async (request) => {
    if (desk.stopping.aborted) throw new ClawError("CLAW-3005", "This process is stopping");
    if (underWay.size >= requestsMax) {
      throw new ClawError("CLAW-3005", `${requestsMax} requests are under way`);
    }
    underWay.add(request);
    // The connection's end, not the answer's: a client that goes away counts no longer either.
    request.raw.once("close", () => underWay.delete(request));
  });
  app.addHook("onResponse", async (request) => void underWay.delete(request));
}

function logRequests(app: FastifyInstance, log: Log | undefined): void {
  if (log === undefined) return;
  app.addHook("onResponse", async (request, reply) => {
    log({
      level: "debug",
      message: "request",
      fields: {
        method: request.method,
        // The route's pattern: paths hold names and ids of the caller.
        route: request.routeOptions.url ?? "",
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
      },
    });
  });
}

function logUnforeseen(log: Log | undefined, request: FastifyRequest, error: unknown): void {
  log?.({
    level: "error",
    message: "a request met an unforeseen error",
    fields: {
      route: request.routeOptions.url ?? "",
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    },
  });
}

function sendProblem(error: unknown, reply: FastifyReply): FastifyReply {
  const problem = problemOf(error);
  if (problem.retryable && (problem.status === 503 || problem.status === 429)) {
    // A full mailbox knows more about when there will be room.
    const ms = Number(problem.details?.["retryAfterMs"] ?? 0);
    reply.header("retry-after", String(Math.max(Number(RETRY_AFTER_S), Math.ceil(ms / 1_000))));
  }
  if (problem.code === "CLAW-5007") reply.header("www-authenticate", "Bearer");
  return reply.code(problem.status).type("application/problem+json").send(problem);
}
