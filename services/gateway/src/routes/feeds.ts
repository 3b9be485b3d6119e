import { Readable } from "node:stream";
import { ClawError } from "@claw/core/protocol";
import type { Chunk, RunEvent } from "@claw/runtime";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Desk } from "../desk.ts";
import { problemOf } from "../problem.ts";
import { chunkView, eventView } from "../wire.ts";
import { runIdOf, textField } from "./request-parts.ts";

/** A connection that has nothing to tell says so this often: who is gone is noticed. */
const ALIVE_MS = 15_000;
/** What is wrong from the start shows within this time, and is answered as a problem. */
const FIRST_MS = 50;

type Asked = { Params: { id: string }; Querystring: Readonly<Record<string, unknown>> };
type Items<Item> = AsyncIterableIterator<Item, undefined>;

/**
 * What a run writes, as server-sent events: the id of each is its cursor, and a client that comes back with
 * `Last-Event-ID` or `from` misses nothing. The last event is `end`, or `problem` where it broke off.
 */
export function feedRoutes(room: FastifyInstance, desk: Desk): void {
  room.get<Asked>("/v1/runs/:id/stream", (request, reply) => {
    const name = textField("name", request.query["name"]);
    const run = desk.claw().run(runIdOf(request.params.id));
    const from = cursorOf(request);
    const feed = name === undefined ? run.streams({ from }) : run.stream(name, { from });
    return answer(desk, reply, feed, (chunk: Chunk) => ["chunk", chunkView(chunk)]);
  });
  room.get<Asked>("/v1/runs/:id/events", (request, reply) => {
    const feed = desk
      .claw()
      .run(runIdOf(request.params.id))
      .events({ from: cursorOf(request) });
    return answer(desk, reply, feed, (event: RunEvent) => ["entry", eventView(event)]);
  });
}

// Errors: CLAW-3051.
function cursorOf({ headers, query }: FastifyRequest<Asked>): number {
  const text = textField("from", query["from"] ?? headers["last-event-id"]) ?? "0";
  return /^\d+$/.test(text) ? Number(text) : Number.NaN;
}

async function answer<Item extends { readonly seq: number }>(
  desk: Desk,
  reply: FastifyReply,
  feed: Items<Item>,
  viewOf: (item: Item) => readonly [event: string, view: object],
): Promise<FastifyReply> {
  const first = feed.next();
  const left = (): void => void feed.return?.();
  desk.stopping.addEventListener("abort", left, { once: true });
  reply.raw.once("close", () => {
    desk.stopping.removeEventListener("abort", left);
    left();
  });
  await within(first, FIRST_MS);
  const frames = framesOf(desk, feed, first, (item) => {
    const [event, view] = viewOf(item);
    return `id: ${item.seq}\n${frameOf(event, view)}`;
  });
  return (
    reply
      .header("cache-control", "no-store")
      // Kept open for a next request it would hold up a stop.
      .header("connection", "close")
      .type("text/event-stream")
      .send(Readable.from(frames))
  );
}

async function* framesOf<Item>(
  desk: Desk,
  feed: Items<Item>,
  first: Promise<IteratorResult<Item, undefined>>,
  write: (item: Item) => string,
): AsyncGenerator<string> {
  yield ": open\n\n";
  try {
    for (let next = first; ; ) {
      const got = await within(next, ALIVE_MS);
      if (got === undefined) {
        yield ": alive\n\n";
      } else if (got.done === true) {
        if (desk.stopping.aborted) throw new ClawError("CLAW-3005", "This process is stopping");
        yield frameOf("end", {});
        return;
      } else {
        yield write(got.value);
        next = feed.next();
      }
    }
  } catch (error) {
    yield frameOf("problem", problemOf(error));
  }
}

function frameOf(event: string, data: object): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

// What came of a promise, or undefined when it takes longer.
async function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>();
  const timer = setTimeout(late.resolve, ms, undefined);
  timer.unref();
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
