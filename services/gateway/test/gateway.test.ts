import assert from "node:assert/strict";
import { request } from "node:http";
import { text } from "node:stream/consumers";
import { test, type TestContext } from "node:test";
import type { LogLine } from "@claw/core/ports";
import { ClawError } from "@claw/core/protocol";
import { openRuntime, type Claw } from "@claw/runtime";
import { event, workflow } from "@claw/sdk";
import { memoryStore } from "@claw/store-memory";
import { signBody, startGateway, type Gateway, type GatewayOptions } from "../src/index.ts";

const TOKEN = "a-token-that-is-long-enough";
const SECRET = "a-secret-of-the-webhook";

const Opened = event("com.shop.order.opened");
const Paid = event<{ order: number }>("com.shop.order.paid");
const order = workflow("order", { on: Opened }, async (ctx, input) => {
  const { order } = input as { order: number };
  const paid = await ctx.waitFor(Paid, { match: { order }, timeout: "1d" });
  return paid.ok ? { paid: order } : { late: order };
});
const double = workflow("double", async (ctx, input) => {
  await ctx.run("step", () => 1);
  return Number(input) * 2;
});
const patient = workflow("patient", async (ctx) => {
  const answer = await ctx.receive("answer", { timeout: "1d" });
  return answer.ok ? answer.value : null;
});
const onIssue = workflow("on-issue", { on: event("com.github.issues") }, (_ctx, input) => input);

interface World {
  readonly claw: Claw;
  readonly gateway: Gateway;
  readonly lines: LogLine[];
}

async function open(t: TestContext, options: Partial<GatewayOptions> = {}): Promise<World> {
  const lines: LogLine[] = [];
  const workflows = [order, double, patient, onIssue];
  const claw = await openRuntime({ store: memoryStore(), workflows });
  const gateway = await startGateway({
    claw,
    port: 0,
    token: TOKEN,
    github: { secret: SECRET },
    log: (line) => lines.push(line),
    ...options,
  });
  t.after(async () => {
    await gateway.stop();
    await claw.stop();
  });
  return { claw, gateway, lines };
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Record<string, unknown>;
}

interface Sent {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array;
}

// node:http instead of fetch: tests set Host and Origin themselves.
async function ask({ gateway }: World, path: string, sent: Sent = {}): Promise<Answer> {
  const method = sent.method ?? (sent.body === undefined ? "GET" : "POST");
  const asked = request(`${gateway.address}${path}`, {
    method,
    headers: { authorization: `Bearer ${TOKEN}`, ...sent.headers },
  });
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  asked.once("error", reject);
  asked.once("response", (response) => {
    text(response).then((written) => {
      const body = (written === "" ? {} : JSON.parse(written)) as Record<string, unknown>;
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
    }, reject);
  });
  asked.end(sent.body);
  return promise;
}

function structured(event: Record<string, unknown>): Sent {
  return {
    body: JSON.stringify({ specversion: "1.0", source: "/test", ...event }),
    headers: { "content-type": "application/cloudevents+json; charset=utf-8" },
  };
}

function delivery(payload: string, headers: Record<string, string> = {}): Sent {
  return {
    body: payload,
    headers: {
      authorization: "",
      "content-type": "application/json",
      "x-github-event": "issues",
      "x-github-delivery": "delivery-1",
      "x-hub-signature-256": signBody(SECRET, payload),
      ...headers,
    },
  };
}

function assertProblem({ status, headers, body }: Answer, code: string): void {
  assert.equal(body["code"], code, JSON.stringify(body));
  assert.equal(body["status"], status);
  assert.equal(body["type"], `urn:claw:${code}`);
  assert.match(String(headers["content-type"]), /^application\/problem\+json/);
  for (const name of ["title", "detail", "remedy"]) assert.ok(String(body[name]).length > 5, name);
  assert.ok(!JSON.stringify(body).includes("    at "), "no stack");
}

test("a structured event starts a run once and a repetition is a duplicate", async (t) => {
  const world = await open(t);
  const sent = structured({ id: "e1", type: Opened.type, data: { order: 7 } });
  const first = await ask(world, "/v1/events", sent);
  assert.equal(first.status, 202);
  assert.equal(first.body["status"], "accepted");
  assert.equal((first.body["started"] as string[]).length, 1);
  const second = await ask(world, "/v1/events", sent);
  assert.equal(second.status, 200);
  assert.deepEqual(second.body, { status: "duplicate", started: [], refused: [] });
});

test("a binary event is delivered to the run that waits for it", async (t) => {
  const world = await open(t);
  const opened = await ask(world, "/v1/events", {
    body: '{"order":8}',
    headers: {
      "content-type": "application/json",
      "ce-specversion": "1.0",
      "ce-id": "%C3%A4-1",
      "ce-source": "/test",
      "ce-type": Opened.type,
      "ce-time": "2026-01-31T12:00:00Z",
    },
  });
  assert.equal(opened.status, 202);
  const [run] = opened.body["started"] as [string];
  await ask(world, "/v1/events", structured({ id: "e2", type: Paid.type, data: { order: 8 } }));
  const ended = await world.claw.run(run).ended({ timeout: "10s" });
  assert.deepEqual(ended, { status: "completed", output: { paid: 8 } });
  assert.match((await world.claw.find(run))?.cause ?? "", /ä-1/);
});

test("a batch answers for each event in order", async (t) => {
  const world = await open(t);
  const one = { specversion: "1.0", source: "/test", type: Opened.type, data: { order: 1 } };
  const batch = { headers: { "content-type": "application/cloudevents-batch+json" } };
  const good = await ask(world, "/v1/events", {
    ...batch,
    body: JSON.stringify([
      { ...one, id: "a" },
      { ...one, id: "b" },
      { ...one, id: "a" },
    ]),
  });
  assert.equal(good.status, 202);
  const results = good.body["results"] as { status: string }[];
  assert.deepEqual(
    results.map(({ status }) => status),
    ["accepted", "accepted", "duplicate"],
  );
  const bad = await ask(world, "/v1/events", {
    ...batch,
    body: JSON.stringify([
      { ...one, id: "c" },
      { ...one, id: "" },
    ]),
  });
  assertProblem(bad, "CLAW-5008");
  assert.equal((await world.claw.list({ workflow: "order" })).length, 2);
});

test("events that are not valid CloudEvents are refused", async (t) => {
  const world = await open(t);
  const type = Opened.type;
  const wrong = [
    structured({ id: "x", type, specversion: "0.3" }),
    structured({ type }),
    structured({ id: "x", type: "" }),
    structured({ id: 7, type }),
    structured({ id: "x", type, time: "yesterday" }),
    structured({ id: "x", type, data: 1, data_base64: "MQ==" }),
    { body: "{}", headers: { "content-type": "application/json" } },
    { body: "<e/>", headers: { "content-type": "application/cloudevents+xml" } },
  ];
  for (const sent of wrong) assertProblem(await ask(world, "/v1/events", sent), "CLAW-5008");
  assert.equal((await world.claw.list()).length, 0);
});

test("a signed delivery becomes an event and its repetition a duplicate", async (t) => {
  const world = await open(t);
  const payload = '{ "action":"opened", "repository":{"full_name":"ada/engine"} }';
  const first = await ask(world, "/webhooks/github", delivery(payload, { host: "hub.example" }));
  assert.equal(first.status, 202);
  assert.equal(first.body["status"], "accepted");
  const [run] = first.body["started"] as [string];
  const ended = await world.claw.run(run).ended({ timeout: "10s" });
  assert.deepEqual(ended, {
    status: "completed",
    output: { action: "opened", repository: { full_name: "ada/engine" }, event: "issues" },
  });
  assert.equal((await world.claw.find(run))?.cause, "event /github/ada/engine delivery-1");
  const second = await ask(world, "/webhooks/github", delivery(payload));
  assert.equal(second.status, 200);
  assert.equal(second.body["status"], "duplicate");
});

test("a delivery in a form field is read like one in JSON", async (t) => {
  const world = await open(t);
  const form = `payload=${encodeURIComponent('{"organization":{"login":"ada"}}')}`;
  const sent = delivery(form, { "content-type": "application/x-www-form-urlencoded" });
  const { body } = await ask(world, "/webhooks/github", sent);
  const [run] = body["started"] as [string];
  assert.equal((await world.claw.find(run))?.cause, "event /github/ada delivery-1");
});

test("a delivery without a valid signature or form is refused and leaves nothing", async (t) => {
  const world = await open(t);
  const payload = '{"action":"opened"}';
  const refused: [Sent, string][] = [
    [delivery(payload, { "x-hub-signature-256": signBody("another", payload) }), "CLAW-5003"],
    [delivery(payload, { "x-hub-signature-256": "sha256=" }), "CLAW-5003"],
    [delivery(payload, { "x-hub-signature-256": "" }), "CLAW-5003"],
    [{ ...delivery(payload), body: `${payload} ` }, "CLAW-5003"],
    [delivery("{"), "CLAW-5002"],
    [delivery("[]"), "CLAW-5002"],
    [delivery('{"__proto__":{"isAdmin":true}}'), "CLAW-5002"],
    [delivery('{"a":{"\\u005f_proto__":1}}'), "CLAW-5002"],
    [delivery(payload, { "x-github-delivery": "" }), "CLAW-5008"],
    [delivery(payload, { "x-github-event": "Bad Name" }), "CLAW-5008"],
    [delivery(`{"deep":${"[".repeat(500)}${"]".repeat(500)}}`), "CLAW-1005"],
  ];
  for (const [sent, code] of refused) {
    assertProblem(await ask(world, "/webhooks/github", sent), code);
  }
  assert.equal((await world.claw.list()).length, 0);
  const said = JSON.stringify(world.lines);
  assert.ok(!said.includes(SECRET) && !said.includes(TOKEN), "no secret in the log");
});

test("without a secret no delivery is taken", async (t) => {
  const world = await open(t, { github: { secret: "" } });
  const sent = delivery("{}", { "x-hub-signature-256": signBody("", "{}") });
  assertProblem(await ask(world, "/webhooks/github", sent), "CLAW-5003");
});

test("the control API asks for the token, a loopback name and no foreign page", async (t) => {
  const world = await open(t);
  const refused: Record<string, string>[] = [
    { authorization: "" },
    { authorization: "Bearer wrong-token-of-some-length" },
    { authorization: `Basic ${TOKEN}` },
    { host: "rebound.example" },
    { origin: "http://evil.example" },
    { origin: "null" },
    { origin: "http://127.0.0.1:1" },
    { "sec-fetch-site": "cross-site" },
  ];
  for (const headers of refused) {
    const answer = await ask(world, "/v1/status", { headers });
    assertProblem(answer, "CLAW-5007");
    assert.equal(answer.status, 401);
    assertProblem(await ask(world, "/v1/events", { headers, body: "{}" }), "CLAW-5007");
  }
  const { port } = world.gateway;
  const own = { host: `localhost:${port}`, origin: `http://localhost:${port}` };
  assert.equal((await ask(world, "/v1/status", { headers: own })).status, 200);
});

test("an open ingress takes events without the token, control still asks for it", async (t) => {
  const world = await open(t, { openIngress: true });
  const sent = structured({ id: "e", type: Opened.type, data: { order: 1 } });
  const headers = { ...sent.headers, authorization: "" };
  assert.equal((await ask(world, "/v1/events", { ...sent, headers })).status, 202);
  assertProblem(await ask(world, "/v1/status", { headers }), "CLAW-5007");
  const options = { claw: world.claw, token: TOKEN, openIngress: true, port: 0 };
  await assert.rejects(startGateway({ ...options, host: "0.0.0.0" }), RangeError);
});

test("a run is started, waited for, listed and read back", async (t) => {
  const world = await open(t);
  const body = JSON.stringify({ workflow: "double", input: 21, wait: "10s", idempotencyKey: "k" });
  const started = await ask(world, "/v1/runs", { body });
  assert.equal(started.status, 201);
  const run = started.body["run"] as Record<string, unknown>;
  assert.equal(run["status"], "completed");
  assert.equal(run["output"], 42);
  assert.equal(started.headers["location"], `/v1/runs/${String(run["id"])}`);
  const again = await ask(world, "/v1/runs", { body });
  assert.equal(again.status, 200);
  assert.equal(again.body["id"], run["id"]);
  const other = JSON.stringify({ workflow: "double", input: 22, idempotencyKey: "k" });
  assertProblem(await ask(world, "/v1/runs", { body: other }), "CLAW-3003");
  const list = await ask(world, "/v1/runs?status=completed&workflow=double&since=1h&limit=1");
  assert.deepEqual(
    (list.body["items"] as { id: string }[]).map(({ id }) => id),
    [run["id"]],
  );
  const journal = await ask(world, `/v1/runs/${String(run["id"])}/journal`);
  const [entry] = journal.body["items"] as Record<string, unknown>[];
  assert.deepEqual(
    [entry?.["kind"], entry?.["call"], entry?.["data"]],
    ["stepCompleted", "step", 1],
  );
});

test("a signal reaches its run and a cancelled run takes no more", async (t) => {
  const world = await open(t);
  const first = await world.claw.start(patient, null);
  const sent = { body: '{"value":{"yes":true},"id":"s1"}' };
  assert.equal((await ask(world, `/v1/runs/${first.id}/signals/answer`, sent)).status, 202);
  const waited = await ask(world, `/v1/runs/${first.id}?wait=10s`);
  assert.deepEqual(waited.body["output"], { yes: true });
  const second = await world.claw.start(patient, null);
  const cancel = { body: '{"reason":"not wanted"}' };
  assert.equal((await ask(world, `/v1/runs/${second.id}/cancel`, cancel)).status, 202);
  const ended = await ask(world, `/v1/runs/${second.id}?wait=10s`);
  assert.equal(ended.body["status"], "cancelled");
  assertProblem(await ask(world, `/v1/runs/${second.id}/cancel`, cancel), "CLAW-3002");
});

test("what is asked wrongly is answered with the error's own code", async (t) => {
  const world = await open(t, { bodyBytesMax: 1_000 });
  const unknown = `run_${"0".repeat(26)}`;
  const cases: [string, Sent, string][] = [
    ["/v1/nothing", {}, "CLAW-5004"],
    ["/v1/runs", { method: "DELETE" }, "CLAW-5004"],
    ["/v1/runs", { body: "x".repeat(1_001) }, "CLAW-5005"],
    ["/v1/runs", { body: "{" }, "CLAW-5002"],
    ["/v1/runs", { body: '"text"' }, "CLAW-5002"],
    ["/v1/runs", { body: Uint8Array.of(0x22, 0xff, 0x22) }, "CLAW-5002"],
    ["/v1/runs", { body: '{"workflow":"nobody"}' }, "CLAW-1003"],
    ["/v1/runs", { body: '{"workflow":"double","wait":"soon"}' }, "CLAW-1007"],
    ["/v1/runs?limit=0", {}, "CLAW-5002"],
    ["/v1/runs?status=odd", {}, "CLAW-5002"],
    ["/v1/runs/run_1", {}, "CLAW-3001"],
    [`/v1/runs/${unknown}`, {}, "CLAW-3001"],
    [`/v1/runs/${unknown}/cancel`, { body: "{}" }, "CLAW-3001"],
    ["/v1/backup", { body: '{"path":"relative.db"}' }, "CLAW-5002"],
  ];
  for (const [path, sent, code] of cases) assertProblem(await ask(world, path, sent), code);
});

test("a taken port is a coded error", async (t) => {
  const world = await open(t);
  const { port } = world.gateway;
  const second = startGateway({ claw: world.claw, token: TOKEN, port });
  await assert.rejects(second, { code: "CLAW-5001" });
});

test("while there is no runtime, requests are asked to come again", async (t) => {
  const claw = (): Claw => {
    throw new ClawError("CLAW-3005");
  };
  const world = await open(t, { claw });
  const answer = await ask(world, "/v1/status");
  assertProblem(answer, "CLAW-3005");
  assert.equal(answer.headers["retry-after"], "1");
  assert.equal((await ask(world, "/readyz", { headers: { host: "any.example" } })).status, 503);
  assert.equal((await ask(world, "/livez")).status, 200);
});

test("a node whose runtime has stopped is alive and not ready", async (t) => {
  const world = await open(t);
  assert.equal((await ask(world, "/readyz")).status, 200);
  await world.claw.stop();
  const answer = await ask(world, "/readyz");
  assert.deepEqual([answer.status, (answer.body as { code: string }).code], [503, "CLAW-3005"]);
  assert.equal((await ask(world, "/livez")).status, 200);
});

test("stopping ends a request that waits for a run", async (t) => {
  const world = await open(t);
  const run = await world.claw.start(patient, null);
  const reached = Promise.withResolvers<void>();
  const claw = (): Claw => {
    reached.resolve();
    return world.claw;
  };
  const gateway = await startGateway({ claw, token: TOKEN, port: 0 });
  const asked = ask({ ...world, gateway }, `/v1/runs/${run.id}?wait=60s`);
  await reached.promise;
  await gateway.stop();
  assertProblem(await asked, "CLAW-3005");
});

test("more requests than the limit are asked to come again", async (t) => {
  const world = await open(t);
  const run = await world.claw.start(patient, null);
  const reached = Promise.withResolvers<void>();
  const claw = (): Claw => {
    reached.resolve();
    return world.claw;
  };
  const gateway = await startGateway({ claw, token: TOKEN, port: 0, requestsMax: 1 });
  t.after(() => gateway.stop());
  const narrow = { ...world, gateway };
  const waiting = ask(narrow, `/v1/runs/${run.id}?wait=60s`);
  await reached.promise;
  const refused = await ask(narrow, "/v1/status");
  assertProblem(refused, "CLAW-3005");
  assert.equal(refused.headers["retry-after"], "1");
  await world.claw.signal(run.id, "answer", 1);
  assert.equal((await waiting).body["output"], 1);
  assert.equal((await ask(narrow, "/v1/status")).status, 200);
});

test("the status tells what runs here", async (t) => {
  const world = await open(t, { version: "1.2.3" });
  const { body } = await ask(world, "/v1/status");
  assert.equal(body["version"], "1.2.3");
  const names = (body["workflows"] as { name: string }[]).map(({ name }) => name);
  assert.deepEqual(names.sort(), ["double", "on-issue", "order", "patient"]);
});
