import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { openRuntime, type Claw } from "@claw/runtime";
import { workflow } from "@claw/sdk";
import { memoryStore } from "@claw/store-memory";
import { type Gateway, startGateway } from "../src/index.ts";

const TOKEN = "a-token-that-is-long-enough";

const talk = workflow("talk", async (ctx) => {
  await ctx.stream("words").write("one");
  await ctx.stream("other").write({ n: 1 });
  await ctx.receive("on");
  await ctx.stream("words").write("line\nline\r\n\ndata: x");
  await ctx.run("bad", () => Promise.reject(new Error("no")), { retry: { attempts: 1 } });
});

interface World {
  readonly claw: Claw;
  readonly gateway: Gateway;
  readonly open: (path: string, headers?: Record<string, string>) => Promise<Response>;
}

async function openWorld(t: TestContext): Promise<World> {
  const claw = await openRuntime({ store: memoryStore(), workflows: [talk] });
  const gateway = await startGateway({ claw, port: 0, token: TOKEN });
  t.after(async () => {
    await gateway.stop();
    await claw.stop();
  });
  const open: World["open"] = (path, headers = {}) =>
    fetch(`${gateway.address}/v1/runs/${path}`, {
      headers: { authorization: `Bearer ${TOKEN}`, ...headers },
    });
  return { claw, gateway, open };
}

type Frame = { id: string; event: string; data: Record<string, unknown> };

/** Server-sent events, as the HTML standard reads them. */
async function* framesOf(response: Response): AsyncGenerator<Frame> {
  let text = "";
  for await (const part of response.body ?? []) {
    text += Buffer.from(part as Uint8Array).toString();
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const fields = Object.fromEntries(
        text
          .slice(0, end)
          .split("\n")
          .map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]),
      );
      text = text.slice(end + 2);
      if (fields["event"] === undefined) continue;
      const data = JSON.parse(fields["data"] ?? "null") as Record<string, unknown>;
      yield { id: fields["id"] ?? "", event: fields["event"], data };
    }
  }
}

async function rest(frames: AsyncGenerator<Frame>): Promise<Frame[]> {
  const got: Frame[] = [];
  for await (const frame of frames) got.push(frame);
  return got;
}

test("chunks come as server-sent events, live, and end with the run", async (t) => {
  const { claw, open } = await openWorld(t);
  const run = await claw.start(talk, undefined);
  const response = await open(`${run.id}/stream?name=words`);
  assert.equal(response.status, 200);
  assert.match(response.headers.get("content-type") ?? "", /^text\/event-stream/);
  const frames = framesOf(response);
  const first = (await frames.next()).value as Frame;
  assert.deepEqual([first.id, first.event, first.data["value"]], ["1", "chunk", "one"]);
  await claw.signal(run.id, "on");
  assert.deepEqual(
    (await rest(frames)).map(({ id, event, data }) => [id, event, data["value"]]),
    [
      ["3", "chunk", "line\nline\r\n\ndata: x"],
      ["", "end", undefined],
    ],
  );
  const again = await open(`${run.id}/stream`, { "last-event-id": "1" });
  assert.deepEqual(
    (await rest(framesOf(again))).map(({ id, event }) => `${event} ${id}`),
    ["chunk 2", "chunk 3", "end "],
  );
});

test("entries of the journal come in the same way, without stacks", async (t) => {
  const { claw, open } = await openWorld(t);
  const run = await claw.start(talk, undefined);
  await claw.signal(run.id, "on");
  await run.ended();
  const frames = await rest(framesOf(await open(`${run.id}/events?from=2`)));
  assert.deepEqual(
    frames.map(({ id, event, data }) => [id, event, data["kind"]]),
    [
      ["3", "entry", "signalReceived"],
      ["4", "entry", "streamWritten"],
      ["5", "entry", "stepFailed"],
      ["", "end", undefined],
    ],
  );
  assert.deepEqual(frames[2]?.data["data"], { name: "Error", message: "no" });
});

test("a run that is not there and a cursor that is none are problems with their codes", async (t) => {
  const { claw, open } = await openWorld(t);
  const run = await claw.start(talk, undefined);
  await claw.signal(run.id, "on");
  await run.ended();
  const codeOf = async (path: string, headers?: Record<string, string>): Promise<unknown[]> => {
    const response = await open(path, headers);
    return [response.status, ((await response.json()) as Record<string, unknown>)["code"]];
  };
  assert.deepEqual(await codeOf("run_x/stream"), [404, "CLAW-3001"]);
  const gone = run.id.replace(/.{6}$/, "000000");
  assert.deepEqual(await codeOf(`${gone}/events`), [404, "CLAW-3001"]);
  for (const from of ["-1", "1.5", "x", "99", "1e1"]) {
    assert.deepEqual(await codeOf(`${run.id}/stream?from=${from}`), [400, "CLAW-3051"], from);
  }
  assert.deepEqual(await codeOf(`${run.id}/events`, { "last-event-id": "x" }), [400, "CLAW-3051"]);
  assert.deepEqual(await codeOf(`${run.id}/stream?name=a%2Fb`), [400, "CLAW-1008"]);
  assert.deepEqual(await codeOf(`${run.id}/stream`, { authorization: "Bearer no" }), [
    401,
    "CLAW-5007",
  ]);
});

test("a stop of the gateway ends what is followed, with a problem that can be tried again", async (t) => {
  const { claw, gateway, open } = await openWorld(t);
  const run = await claw.start(talk, undefined);
  const frames = framesOf(await open(`${run.id}/stream`));
  await frames.next();
  await frames.next();
  const stopped = gateway.stop();
  const [last] = await rest(frames);
  assert.deepEqual(
    [last?.event, last?.data["code"], last?.data["retryable"]],
    ["problem", "CLAW-3005", true],
  );
  await stopped;
});
