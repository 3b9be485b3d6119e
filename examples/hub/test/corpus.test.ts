import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { decodePayload, type RunRecord } from "@claw/core/protocol";
import { allSamples, type DeliveryAnswer } from "../src/corpus.ts";
import { openHub } from "./hub.ts";

type Counts = Record<string, number>;

interface Raw {
  readonly payloads: number;
  readonly events: number;
  readonly byTopic: Counts;
  readonly byRepository: Counts;
  readonly bySenderType: Counts;
  readonly retried: number;
  readonly pushes: number;
  readonly commits: number;
  readonly issues: Counts;
  readonly pullRequests: Counts;
  readonly digests: number;
}

interface Line {
  readonly event: string;
  readonly action: string | null;
  readonly repository: string | null;
  readonly sender: string | null;
}

function countRaw(): Raw {
  const script = join(import.meta.dirname, "..", "count-raw.mjs");
  return JSON.parse(execFileSync(process.execPath, [script], { encoding: "utf8" })) as Raw;
}

function count<T>(items: readonly T[], keyOf: (item: T) => unknown): Counts {
  const counts: Counts = {};
  for (const item of items) {
    const key = String(keyOf(item));
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

function outcomes(runs: readonly RunRecord[]): Counts {
  return count(runs, ({ status, output }) =>
    status === "completed" ? (decodePayload(output) as { outcome: string }).outcome : status,
  );
}

test("all payloads of the corpus come in once, and what the hub makes of them agrees with the raw JSON", async (t) => {
  const hub = await openHub(t);
  const raw = countRaw();
  assert.deepEqual([raw.payloads, raw.events], [329, 58]);
  const samples = allSamples();
  const answers: DeliveryAnswer[][] = [[], []];
  for (const round of answers) {
    for (const [index, sample] of samples.entries()) {
      round.push(await hub.deliver(`corpus-${index}`, sample));
    }
  }
  const [first = [], second = []] = answers;
  assert.deepEqual(
    count(first, ({ status }) => status),
    { accepted: 329 },
  );
  assert.deepEqual(
    count(second, ({ status }) => status),
    { duplicate: 329 },
  );
  assert.deepEqual(
    first.flatMap(({ refused }) => refused),
    [],
  );
  assert.deepEqual(
    second.flatMap(({ started }) => started),
    [],
  );

  const intake = await hub.settled("intake");
  const lines = intake.map(({ output }) => decodePayload(output) as Line);
  assert.deepEqual(
    count(intake, ({ status }) => status),
    { completed: raw.payloads },
  );
  const topic = ({ event, action }: Line): string =>
    action === null ? event : `${event}.${action}`;
  assert.deepEqual(count(lines, topic), raw.byTopic);
  assert.deepEqual(
    count(lines, ({ repository }) => repository),
    raw.byRepository,
  );
  assert.deepEqual(
    count(lines, ({ sender }) => sender),
    raw.bySenderType,
  );
  const retried = intake.filter(({ journal }) => journal.some(({ kind }) => kind === "r"));
  assert.equal(retried.length, raw.retried);

  assert.equal((await hub.settled("push-review")).length, raw.pushes);
  const commits = await hub.settled("commit-review");
  assert.deepEqual(
    count(commits, ({ status }) => status),
    { completed: raw.commits },
  );
  assert.deepEqual(outcomes(await hub.settled("issue-followup")), raw.issues);
  assert.deepEqual(outcomes(await hub.settled("pull-request-followup")), raw.pullRequests);
  assert.equal((await hub.settled("digest")).length, raw.digests);
  assert.equal(existsSync(hub.digests) ? readdirSync(hub.digests).length : 0, raw.digests);
});
