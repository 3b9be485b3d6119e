import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { RunRecord } from "@claw/core/protocol";
import { startGateway } from "@claw/gateway";
import { openRuntime, type Claw } from "@claw/runtime";
import { isWorkflow } from "@claw/sdk";
import { sqliteStore } from "@claw/store-sqlite";
import { deliver, type DeliveryAnswer, type Sample } from "../src/corpus.ts";
import * as hub from "../src/index.ts";

const SECRET = "the-hub's-webhook-secret";
const SETTLE_MS_MAX = 60_000;

/** The hub with a real store, runtime and gateway in a folder of its own. */
export interface Hub {
  readonly claw: Claw;
  /** Where its digests are written. */
  readonly digests: string;
  deliver(id: string, sample: Sample): Promise<DeliveryAnswer>;
  /** All runs of a workflow once each of them has ended or waits. */
  settled(workflow: string): Promise<RunRecord[]>;
}

/** Opens a hub that the test's end stops and removes. */
export async function openHub(t: TestContext): Promise<Hub> {
  const folder = mkdtempSync(join(tmpdir(), "claw-hub-"));
  const digests = join(folder, "digests");
  process.env["CLAW_HUB_DIGESTS"] = digests;
  const claw = await openRuntime({
    store: sqliteStore({ path: join(folder, "hub.db") }),
    workflows: Object.values<unknown>({ ...hub }).filter(isWorkflow),
  });
  const token = "a-token-that-nobody-uses-here";
  const gateway = await startGateway({ claw, token, port: 0, github: { secret: SECRET } });
  t.after(async () => {
    await gateway.stop();
    await claw.stop();
    rmSync(folder, { recursive: true });
  });
  return {
    claw,
    digests,
    deliver: (id, sample) => deliver(gateway.address, SECRET, id, sample),
    settled: (workflow) => settled(claw, workflow),
  };
}

async function settled(claw: Claw, workflow: string): Promise<RunRecord[]> {
  const deadline = Date.now() + SETTLE_MS_MAX;
  while (Date.now() < deadline) {
    // Each flush is a signal that all commits asked for are done; runs may ask for more by then.
    await claw.flush();
    const runs = await claw.list({ workflow, limit: 1_000 });
    if (runs.every(({ status }) => status !== "running")) {
      const records = await Promise.all(runs.map(({ id }) => claw.find(id)));
      return records.filter((record) => record !== null);
    }
    await new Promise((next) => setImmediate(next));
  }
  throw new Error(`runs of ${workflow} did not settle`);
}
