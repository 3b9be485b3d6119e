import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { derivedNames, derivedSample, sampleOf } from "../src/corpus.ts";
import { openHub, type Hub } from "./hub.ts";

async function followup(hub: Hub, started: readonly string[], workflow: string): Promise<string> {
  for (const id of started) if ((await hub.claw.find(id))?.workflow === workflow) return id;
  throw new Error(`${workflow} was not started`);
}

async function pageOf(hub: Hub, run: string): Promise<string> {
  const [digest] = await hub.claw.list({ workflow: "digest" });
  assert.ok(digest !== undefined, "a digest is written");
  await hub.claw.run(digest.id).result({ timeout: "30s" });
  return readFileSync(join(hub.digests, `${run}.md`), "utf8");
}

test("an issue that was opened is followed until it is closed", async (t) => {
  const hub = await openHub(t);
  const { started } = await hub.deliver("opened", sampleOf("issues", "opened"));
  const run = await followup(hub, started, "issue-followup");
  await hub.deliver("closed", derivedSample("issue-closed"));
  assert.deepEqual(await hub.claw.run(run).result({ timeout: "30s" }), {
    outcome: "closed",
    by: "Codertocat",
    teams: ["repair"],
  });
  assert.match(
    await pageOf(hub, run),
    /^# Issue 1: .*\n\nCodertocat\/Hello-World\n- closed by Cod/,
  );
});

test("a pull request that was opened is followed through its review to its merge", async (t) => {
  const hub = await openHub(t);
  const { started } = await hub.deliver("opened", sampleOf("pull_request", "opened"));
  const run = await followup(hub, started, "pull-request-followup");
  await hub.deliver("reviewed", sampleOf("pull_request_review", "submitted"));
  await hub.deliver("merged", derivedSample("pull-request-merged"));
  const output = (await hub.claw.run(run).result({ timeout: "30s" })) as Record<string, unknown>;
  assert.equal(output["outcome"], "merged");
  assert.match(await pageOf(hub, run), /- merged by Codertocat\n- review: commented\n$/);
});

test("a pull request that is closed before any review is not waited for", async (t) => {
  const hub = await openHub(t);
  const { started } = await hub.deliver("opened", sampleOf("pull_request", "opened"));
  const run = await followup(hub, started, "pull-request-followup");
  await hub.deliver("closed", sampleOf("pull_request", "closed"));
  const output = (await hub.claw.run(run).result({ timeout: "30s" })) as Record<string, unknown>;
  assert.equal(output["outcome"], "closed unseen");
});

test("an event of another issue wakes nobody", async (t) => {
  const hub = await openHub(t);
  const closed = derivedSample("issue-closed");
  const other = { ...closed, body: closed.body.replaceAll('"number":1,', '"number":99,') };
  const { started } = await hub.deliver("opened", sampleOf("issues", "opened"));
  const run = await followup(hub, started, "issue-followup");
  await hub.deliver("closed", other);
  assert.deepEqual(
    (await hub.settled("issue-followup")).map(({ status }) => status),
    ["waiting"],
  );
  await hub.deliver("closed-too", closed);
  await hub.claw.run(run).result({ timeout: "30s" });
});

test("the derived payloads are those that the README lists", () => {
  const readme = readFileSync(join(import.meta.dirname, "..", "README.md"), "utf8");
  assert.deepEqual(derivedNames().sort(), ["issue-closed", "pull-request-merged"]);
  for (const name of derivedNames()) assert.ok(readme.includes(`derived/${name}.json`), name);
});
