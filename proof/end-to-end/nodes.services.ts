import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { RunRecord } from "@claw/core/protocol";
import { openRuntime, type NodeView } from "@claw/runtime";
import { postgresStore } from "@claw/store-postgres";
import { startPostgres } from "../servers/postgres-server.ts";
import { cutProxy } from "./cut-proxy.ts";
import { NodesHistory } from "./nodes-history.ts";
import { type NodePlan, NodeProcess } from "./nodes-process.ts";
import { lastFirst, ownFolder } from "./own-folder.ts";
import { followWitness } from "./witness.ts";

const LEASE_MS = 3_000;
const LANES = 12;

const server = await startPostgres(18);
after(() => server.stop());

/** All runs of a schema, read by a node that runs none. */
async function readAll(url: string, schema: string): Promise<RunRecord[]> {
  const store = postgresStore({ url, schema, alone: false });
  const reader = await openRuntime({ store, workflows: [] });
  try {
    const found: RunRecord[] = [];
    for (const { id } of await reader.list({ limit: 100_000 })) {
      const record = await reader.find(id);
      if (record !== null) found.push(record);
    }
    return found;
  } finally {
    await reader.stop();
  }
}

/** What faults are done to. */
interface Scene {
  /** The nodes that there are, oldest first. */
  readonly nodes: NodeProcess[];
  readonly join: () => Promise<NodeProcess>;
  readonly cut: () => void;
  /** Clients leave this node alone; null for none. */
  readonly still: (node: NodeProcess | null) => void;
}

/** What happens, in its order. */
function faultsOf({ nodes, join, cut, still }: Scene): [string, () => Promise<void>][] {
  return [
    [
      "a node is killed",
      async () => {
        await nodes.shift()?.kill();
        nodes.push(await join());
      },
    ],
    [
      "a node stands still past its lease, and goes on",
      async () => {
        const node = nodes[0] as NodeProcess;
        still(node);
        node.child.kill("SIGSTOP");
        await pause(2 * LEASE_MS);
        node.child.kill("SIGCONT");
        still(null);
      },
    ],
    ["connections break", async () => cut()],
    ["the server restarts", async () => server.kill().then(() => server.restart())],
    [
      "nodes are replaced one by one",
      async () => {
        for (let at = 0; at < 3; at++) {
          const next = await join();
          const old = nodes.shift();
          nodes.push(next);
          await old?.stop();
        }
      },
    ],
  ];
}

test("three nodes lose nothing and do nothing twice, whatever becomes of them, their database and its connections", async (given) => {
  const t = lastFirst(given);
  const folder = ownFolder(t);
  const witness = path.join(folder, "witness");
  fs.writeFileSync(witness, "");
  const proxy = await cutProxy(server.url);
  t.after(() => proxy.close());
  const schema = "three_nodes";
  const plan = (name: string, url = server.url): NodePlan => {
    return { url, schema, leaseMs: LEASE_MS, name, witness };
  };
  let made = 0;
  const join = async (url?: string): Promise<NodeProcess> =>
    NodeProcess.start(t, plan(`node-${++made}`, url));
  const nodes = [await join(), await join(), await join(proxy.url)];
  let stopped: NodeProcess | null = null;
  const pick = (): NodeProcess | undefined => {
    const there = nodes.filter((node) => node.isThere && node !== stopped);
    return there[Math.floor(Math.random() * there.length)];
  };
  const history = new NodesHistory();
  const over = new AbortController();
  let key = 0;
  const lanes = Array.from({ length: LANES }, async () => {
    // What a client must not be told is a problem of the history.
    while (!over.signal.aborted) await history.drive(`k${key++}`, pick).catch(() => {});
  });
  const faults = faultsOf({
    nodes,
    join: () => join(),
    cut: () => proxy.cut(),
    still: (node) => {
      stopped = node;
    },
  });
  for (const [what, happen] of faults) {
    await pause(1_500);
    const before = history.acknowledgements;
    await happen();
    given.diagnostic(`${what}: ${history.acknowledgements - before} acknowledgements meanwhile`);
  }
  await pause(1_500);
  over.abort();
  await Promise.all(lanes);
  const listed = (await nodes[0]?.ask({ op: "nodes" })) as readonly NodeView[];
  assert.ok(listed.length >= 3, JSON.stringify(listed));
  for (const node of nodes) await node.stop();
  const stored = await readAll(server.url, schema);
  const problems = history.judge(stored, followWitness(witness).next());
  given.diagnostic(
    `${stored.length} runs, ${history.acknowledgements} acknowledgements, ${history.repeated} requests repeated`,
  );
  assert.deepEqual(problems.slice(0, 20), []);
});

test("1,000 runs of a killed node go on elsewhere within two leases", async (given) => {
  const t = lastFirst(given);
  const folder = ownFolder(t);
  const witness = path.join(folder, "witness");
  fs.writeFileSync(witness, "");
  const plan = { url: server.url, schema: "takeover", leaseMs: LEASE_MS, witness };
  const first = await NodeProcess.start(t, { ...plan, name: "first", hangs: true });
  const second = await NodeProcess.start(t, { ...plan, name: "second" });
  const lines: string[] = [];
  const follower = followWitness(witness);
  const entered = (name: string): Set<string> => {
    lines.push(...follower.next());
    const own = lines.filter((line) => line.startsWith(`S ${name} `) && line.includes("second"));
    return new Set(own.map((line) => line.split(" ")[2] ?? ""));
  };
  const runs: string[] = [];
  for (let at = 0; at < 1_000; at += 100) {
    const some = Array.from({ length: 100 }, async (_, n) =>
      first.ask({ op: "start", workflow: "held", key: `h${at + n}` }),
    );
    runs.push(...((await Promise.all(some)) as string[]));
  }
  while (entered("first").size < 1_000) await pause(10);
  const killedAt = performance.now();
  await first.kill();
  while (entered("second").size < 1_000) {
    assert.ok(performance.now() - killedAt < 10 * LEASE_MS, `${entered("second").size} went on`);
    await pause(10);
  }
  const ms = Math.round(performance.now() - killedAt);
  for (const run of runs) await second.ask({ op: "result", run });
  const twice = lines.filter((line) => line.startsWith("S second ") && line.includes("/first"));
  assert.deepEqual(twice, [], "what was recorded is not done again");
  given.diagnostic(`1,000 runs went on ${ms} ms after the kill, lease ${LEASE_MS} ms`);
  assert.ok(ms <= 2 * LEASE_MS, `${ms} ms`);
});
