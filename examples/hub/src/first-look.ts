import { allSamples, deliver, derivedSample, sampleOf, type Sample } from "./corpus.ts";

/** What the hub needs for a first look: a gateway to deliver to, and eyes on the runs. */
export interface Scene {
  /** Address of the gateway. */
  readonly url: string;
  /** The webhook secret that the gateway checks. */
  readonly secret: string;
  /** Waits for the end of a run; answers its status. */
  readonly outcome: (run: string, timeoutMs: number) => Promise<RunLine | null>;
  /** Runs of a workflow, newest first. */
  readonly runs: (workflow: string) => Promise<readonly RunLine[]>;
  /** Shows a line. */
  readonly say: (line: string) => void;
}

/** A run in one line. */
export interface RunLine {
  readonly id: string;
  readonly workflow: string;
  readonly status: string;
  readonly output: unknown;
}

const OUTCOME_MS_MAX = 5_000;

/** Deliveries of the first look, in order, with ids that stay the same for ever. */
function firstDeliveries(): [id: string, what: string, sample: Sample][] {
  const push = allSamples().find(
    ({ event, body }) => event === "push" && !body.includes('"commits":[]'),
  );
  const samples: [string, Sample | undefined][] = [
    ["issues opened", sampleOf("issues", "opened")],
    ["pull_request opened", sampleOf("pull_request", "opened")],
    ["push", push],
    ["release published", sampleOf("release", "published")],
    ["check_run completed", sampleOf("check_run", "completed")],
    ["pull_request_review submitted", sampleOf("pull_request_review", "submitted")],
    ["issues closed", derivedSample("issue-closed")],
    ["pull_request merged", derivedSample("pull-request-merged")],
  ];
  return samples.flatMap(([what, sample], index) =>
    sample === undefined ? [] : [[`hub-first-look-${index + 1}`, what, sample]],
  );
}

/**
 * Delivers a handful of payloads and shows what comes of them. Under the same ids every time: a
 * second look finds duplicates and starts nothing.
 */
export async function firstLook(scene: Scene): Promise<void> {
  const started: string[] = [];
  let known = 0;
  for (const [id, what, sample] of firstDeliveries()) {
    const answer = await deliver(scene.url, scene.secret, id, sample);
    if (answer.status === "duplicate") known += 1;
    else scene.say(await lineOf(scene, what, answer.started));
    started.push(...answer.started);
  }
  if (known > 0) scene.say(`${known} deliveries were known already: nothing was started twice`);
  for (const run of started) {
    const line = await scene.outcome(run, OUTCOME_MS_MAX);
    if (line !== null && line.workflow !== "intake") scene.say(outcomeOf(line));
  }
  if (started.length === 0) return;
  for (const { id } of await scene.runs("digest")) {
    const line = await scene.outcome(id, OUTCOME_MS_MAX);
    if (line !== null) scene.say(outcomeOf(line));
  }
}

async function lineOf(scene: Scene, what: string, started: readonly string[]): Promise<string> {
  const lines = await Promise.all(started.map((run) => scene.outcome(run, 0)));
  return `  ${what.padEnd(30)} -> ${lines.map((line) => line?.workflow ?? "?").join(", ")}`;
}

function outcomeOf({ id, workflow, status, output }: RunLine): string {
  const said = output === null || output === undefined ? "" : ` ${JSON.stringify(output)}`;
  const short = said.length > 100 ? `${said.slice(0, 99)}…` : said;
  return `  ${workflow.padEnd(22)} ${id.slice(0, 20)}… ${status}${short}`;
}
