import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { test } from "node:test";
import { encryption, openRuntime } from "@claw/runtime";
import { workflow } from "@claw/sdk";
import { sqliteStore } from "@claw/store-sqlite";
import { openPlace } from "./claw.ts";

const KEY = Buffer.from("0123456789abcdef-heron-key-bytes").toString("base64");
const OTHER = Buffer.from("fedcba9876543210-other-key-bytes").toString("base64");
const GITHUB = "heron-webhook-secret";

const FLOWS = `
import { workflow } from "@claw/sdk";
export const fails = workflow("fails", (ctx) => ctx.run("s", () => {
  throw new Error("no");
}, { retry: { attempts: 1 } }));
`;

test("a key of the codec stands in no error, log line, journal, nor in what is inspected", async (t) => {
  const place = openPlace(t);
  const path = join(place.folder, "keys.db");
  const said: string[] = [];
  const flow = workflow("flow", async (ctx) => {
    await ctx.run("s", () => 1);
    return ctx.receive("go");
  });
  const open = async (key: string): ReturnType<typeof openRuntime> =>
    openRuntime({
      store: sqliteStore({ path }),
      workflows: [flow],
      codec: encryption({ current: "k", keys: { k: key } }),
      log: (line) => said.push(JSON.stringify(line)),
    });
  for (const keys of [{ k: KEY.slice(4) }, { [KEY]: KEY }, { k: "" }]) {
    assert.throws(
      () => encryption({ current: "k", keys }),
      (error: unknown) => {
        said.push(inspect(error, { depth: 9 }), JSON.stringify(error));
        return true;
      },
    );
  }
  said.push(
    inspect(encryption({ current: "k", keys: { k: KEY } }), { depth: 9, showHidden: true }),
  );
  const first = await open(KEY);
  const { id } = await first.start(flow, "word");
  await first.flush();
  await first.stop();
  const wrong = await open(OTHER);
  for (let look = 0; look < 1_000; look++) {
    const found = await wrong.find(id);
    said.push(inspect(found, { depth: 9 }));
    if (found?.status === "unreadable") break;
    await wrong.flush();
  }
  await wrong.stop();
  for (const verb of [["doctor"], ["show", id], ["journal", id], ["list"]]) {
    for (const format of ["table", "json"]) {
      const { stdout, stderr } = await place.claw(
        ...verb,
        "--store",
        path,
        "-o",
        format,
        "--verbose",
      );
      said.push(stdout, stderr);
    }
  }
  said.push(readFileSync(path, "latin1"));
  for (const key of [KEY, OTHER]) {
    const forms = [key, key.slice(4), Buffer.from(key, "base64").toString("latin1")];
    for (const form of forms) {
      assert.ok(!said.some((text) => text.includes(form)), "a key was told");
    }
  }
});

test("a secret of the environment stands in no output, log line or file of the command line", async (t) => {
  const place = openPlace(t, { CLAW_GITHUB_SECRET: GITHUB, AWS_SECRET_ACCESS_KEY: GITHUB });
  place.write("flows/fails.ts", FLOWS);
  const said: string[] = [];
  const dev = place.going("dev", "flows", "--port", "0", "--verbose");
  const [, url = ""] = await dev.said(/^ready (http:\S+)/);
  const answer = await fetch(`${url}/webhooks/github`, {
    method: "POST",
    headers: { "x-hub-signature-256": "sha256=00", "content-type": "application/json" },
    body: "{}",
  });
  said.push(await answer.text(), JSON.stringify([...answer.headers]));
  const ended = await place.claw("run", "fails", "--wait", "--verbose");
  said.push(ended.stdout, ended.stderr);
  for (const verb of [
    ["doctor"],
    ["show", "@last"],
    ["journal", "@last"],
    ["list"],
    ["nonsense"],
  ]) {
    const { stdout, stderr } = await place.claw(...verb, "--verbose");
    said.push(stdout, stderr);
  }
  dev.kill("SIGTERM");
  const { stdout, stderr } = await dev.ended();
  said.push(stdout, stderr);
  for (const entry of readdirSync(place.folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) said.push(readFileSync(join(entry.parentPath, entry.name), "latin1"));
  }
  assert.ok(said.length > 10);
  assert.ok(!said.some((text) => text.includes(GITHUB)), "a secret was told");
});
