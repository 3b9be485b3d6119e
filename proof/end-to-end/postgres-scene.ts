import assert from "node:assert/strict";
import * as fs from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout } from "node:timers/promises";
import pg from "pg";
import { type Going, openPlace, type Place } from "../../apps/cli/test/claw.ts";
import type { PostgresServer } from "../servers/postgres-server.ts";

// The command that serves on a database, as an operator sees it while something is wrong with that.

const FLOW = `
import { appendFileSync } from "node:fs";
import { workflow } from "@claw/sdk";
export const order = workflow("order", async (ctx, item: number) => {
  await ctx.run("reserve", () => appendFileSync("done.log", "reserve " + item + "\\n"));
  await ctx.receive("go");
  await ctx.run("charge", () => appendFileSync("done.log", "charge " + item + "\\n"));
  return item;
});
`;
const READY_MS_MAX = 30_000;

/** A node at work on a schema, with a role, of its own. */
export interface Scene {
  readonly place: Place;
  readonly node: Going;
  readonly role: string;
  /** A statement of an administrator. */
  readonly admin: (text: string) => Promise<pg.QueryResult>;
  /** Ends the connections of the node, and asks something of it, so that it meets what holds for new ones. */
  readonly cut: () => Promise<void>;
  /** Asks the node for something that it writes to the store, so that it sees how that is. */
  readonly poke: () => Promise<void>;
  readonly untilReady: (isReady: boolean) => Promise<string>;
  /** Starts a run, as often as it takes; only what was acknowledged counts. */
  readonly start: () => Promise<void>;
  /** Lets all go on, and looks whether all came to their end. */
  readonly settle: () => Promise<void>;
}

let scenes = 0;

/** Starts a node. */
export async function openScene(t: TestContext, server: PostgresServer): Promise<Scene> {
  const role = `node_${++scenes}`;
  const asAdmin = async (text: string): Promise<pg.QueryResult> => {
    const client = new pg.Client({ connectionString: server.url });
    await client.connect();
    try {
      return await client.query(text);
    } finally {
      await client.end();
    }
  };
  await asAdmin(`CREATE ROLE ${role} LOGIN; GRANT CREATE ON DATABASE postgres TO ${role}`);
  const store = `${server.url.replace("claw@", `${role}@`)}?schema=${role}`;
  const place = openPlace(t, { CLAW_STORE: store });
  place.write("flow.ts", FLOW);
  const node = place.going("start", "flow.ts", "--port", "0");
  const [, url = ""] = await node.said(/^ready (\S+)/);
  const acknowledged = new Set<string>();
  const ready = async (): Promise<[number, string]> => {
    const response = await fetch(`${url}/readyz`);
    return [response.status, await response.text()];
  };
  const poke = async (): Promise<void> => {
    const files = join(place.folder, ".claw");
    const [owner = ""] = fs.readdirSync(files).filter((file) => file.endsWith("-owner.json"));
    const { token } = JSON.parse(fs.readFileSync(join(files, owner), "utf8")) as { token: string };
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const [run = ""] = acknowledged;
    const body = JSON.stringify({ value: null });
    await fetch(`${url}/v1/runs/${run}/signals/stray`, { method: "POST", headers, body });
  };
  return {
    place,
    node,
    role,
    admin: asAdmin,
    cut: async () => {
      await asAdmin(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${role}'`,
      );
      await poke();
    },
    poke,
    untilReady: async (isReady) => {
      const until = Date.now() + READY_MS_MAX;
      for (;;) {
        const [status, body] = await ready();
        if ((status === 200) === isReady) return body;
        if (Date.now() > until) throw new Error(`/readyz stays ${status}: ${body}`);
        await setTimeout(20);
      }
    },
    start: async () => {
      const item = acknowledged.size;
      for (;;) {
        const { code, stdout, stderr } = await place.claw(
          "run",
          "order",
          "--input",
          String(item),
          "--key",
          String(item),
        );
        if (code === 0) return void acknowledged.add(stdout.trim());
        assert.ok(code === 10, stderr);
      }
    },
    settle: () => settle(place, node, acknowledged),
  };
}

async function settle(place: Place, node: Going, runs: ReadonlySet<string>): Promise<void> {
  for (const run of runs) {
    while ((await place.claw("signal", run, "go", "--id", "1")).code !== 0);
  }
  for (const run of runs) assert.equal((await place.untilEnded(run)).status, "completed");
  const done = fs.readFileSync(join(place.folder, "done.log"), "utf8").trim().split("\n");
  assert.equal(new Set(done).size, runs.size * 2, "all steps were done");
  assert.equal((await place.listed()).length, runs.size);
  assert.match((await place.claw("doctor")).stdout, /integrity +sound/);
  node.kill("SIGTERM");
  await node.ended();
}
