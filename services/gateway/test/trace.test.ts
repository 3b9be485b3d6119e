import assert from "node:assert/strict";
import { test } from "node:test";
import { traceContextOf } from "@claw/core/protocol";
import { openRuntime } from "@claw/runtime";
import { event, workflow } from "@claw/sdk";
import { memoryStore } from "@claw/store-memory";
import { startGateway } from "../src/index.ts";

const TOKEN = "a-token-that-is-long-enough";
const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const OTHER = "0af7651916cd43dd8448eb211c80319c";
const traceparent = `00-${TRACE}-00f067aa0ba902b7-01`;

const flow = workflow("flow", { on: event("go") }, () => "done");

test("headers of a request and the extension of an event say where the trace of a run begins", async (t) => {
  const claw = await openRuntime({ store: memoryStore(), workflows: [flow] });
  const gateway = await startGateway({ claw, port: 0, token: TOKEN });
  t.after(async () => {
    await gateway.stop();
    await claw.stop();
  });
  const post = async (path: string, body: object, headers: Record<string, string>) => {
    const response = await fetch(`${gateway.address}/v1/${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
    assert.ok(response.ok, await response.clone().text());
    return (await response.json()) as { id: string; started: string[] };
  };
  const contextOf = async (id: string | undefined) => {
    const run = await claw.find(id ?? "");
    assert.ok(run !== null);
    return traceContextOf(run);
  };
  const { id } = await post("runs", { workflow: "flow" }, { traceparent, tracestate: "a=1" });
  const taken = { traceId: TRACE, parentId: "00f067aa0ba902b7", flags: "01", state: "a=1" };
  assert.deepEqual(await contextOf(id), taken);
  const bad = await post("runs", { workflow: "flow" }, { traceparent: "x", tracestate: "a=1" });
  assert.equal((await contextOf(bad.id)).parentId, "");
  const cloud = { specversion: "1.0", id: "1", source: "/a", type: "go", data: {} };
  const structured = { "content-type": "application/cloudevents+json", traceparent };
  const first = await post("events", cloud, structured);
  assert.equal((await contextOf(first.started[0])).traceId, TRACE);
  const own = { ...cloud, id: "2", traceparent: `00-${OTHER}-b7ad6b7169203331-00` };
  const second = await post("events", own, { ...structured, tracestate: "a=1" });
  assert.deepEqual(await contextOf(second.started[0]), {
    traceId: OTHER,
    parentId: "b7ad6b7169203331",
    flags: "00",
    state: "",
  });
});
