import { decodePayload, ENTRY_KINDS, type RunId, type RunRecord } from "@claw/core/protocol";
import type { SqliteReader } from "@claw/store-sqlite";
import { expectedRuns } from "./kill-nine-workflows.ts";

const PROBLEMS_MAX = 20;
const PAGE = 1_000;

/** What was found out about one history of kills. */
export interface KillNineFindings {
  /** Client requests that were started. */
  readonly requests: number;
  /** Runs in the store, with children and those that events started. */
  readonly runs: number;
  readonly bodies: number;
  readonly acknowledgements: number;
  /** Acknowledged but not in the store or without effect; not completed; with another output. */
  readonly lost: number;
  /** Bodies entered although their result was recorded. */
  readonly repeated: number;
  /** Keys or events with more than one run. */
  readonly doubled: number;
  /** Bodies entered again whose result was not recorded yet: at least once, as promised. */
  readonly again: number;
  /** The first problems in words. */
  readonly problems: readonly string[];
}

type Count = "lost" | "repeated" | "doubled" | "again" | "bodies" | "acknowledgements";

/** Follows the witness through all lives, looks into the store between them, and judges in the end. */
export class KillNineJudge {
  readonly #problems: string[] = [];
  readonly #counts: Record<Count, number> = {
    lost: 0,
    repeated: 0,
    doubled: 0,
    again: 0,
    bodies: 0,
    acknowledgements: 0,
  };
  /** Key of an acknowledged start -> its run. */
  readonly #runOfKey = new Map<string, RunId>();
  readonly #keyOfRun = new Map<RunId, string>();
  readonly #runsOfKey = new Map<string, Set<RunId>>();
  readonly #signals = new Map<RunId, Set<string>>();
  readonly #published = new Set<string>();
  readonly #outputs = new Map<RunId, unknown>();
  /** RUN/CALL -> the highest attempt that was entered. */
  readonly #entered = new Map<string, number>();
  /** RUN/CALL whose result somebody stood on, or that the store had between two lives. */
  readonly #recorded = new Set<string>();
  /** RUN/CALL -> the highest attempt whose failure the store had between two lives. */
  readonly #failures = new Map<string, number>();
  readonly #ended = new Set<RunId>();
  readonly #open = new Set<RunId>();
  #toLookUp: RunId[] = [];
  #lastCommitLine = "";
  #next = 0;
  readonly #unanswered = new Set<number>();

  /** Number of the next new request. */
  get next(): number {
    return this.#next;
  }

  /** Requests whose result the client does not know yet. */
  get open(): readonly number[] {
    return [...this.#unanswered];
  }

  /** True when the last life ended between the begin of a commit and its answer. */
  get insideCommit(): boolean {
    return this.#lastCommitLine.startsWith("B ");
  }

  /** Takes what was written since the last call. */
  read(lines: readonly string[]): void {
    for (const line of lines) this.#readLine(line);
  }

  #readLine(line: string): void {
    const [kind, first = "", second = "", third = "", fourth = ""] = line.split(" ");
    switch (kind) {
      case "B":
      case "E":
        this.#lastCommitLine = line;
        break;
      case "S":
        this.#bodyEntered(first, Number(second), third, fourth);
        break;
      case "I":
        this.#next = Math.max(this.#next, numberOf(first) + 1);
        this.#unanswered.add(numberOf(first));
        break;
      case "A":
        this.#startAcknowledged(first, second);
        break;
      case "G":
        this.#counts.acknowledgements++;
        this.#signals.set(first, (this.#signals.get(first) ?? new Set()).add(second));
        break;
      case "P":
        this.#counts.acknowledgements++;
        this.#published.add(first);
        break;
      case "R":
        this.#resultAcknowledged(first, JSON.parse(line.slice(kind.length + first.length + 2)));
        break;
      case "X":
        this.#problem("lost", line);
        break;
      default:
    }
  }

  #bodyEntered(id: string, attempt: number, key: string, after: string): void {
    const run = runOf(id);
    this.#counts.bodies++;
    const before = this.#entered.get(id) ?? 0;
    const recorded = this.#recorded.has(id) || this.#ended.has(run);
    if (recorded || attempt < before || attempt <= (this.#failures.get(id) ?? 0)) {
      this.#problem("repeated", `${id} attempt ${attempt} was entered after it had been recorded`);
    } else if (attempt === before) {
      this.#counts.again++;
    }
    this.#entered.set(id, Math.max(before, attempt));
    this.#runsOfKey.set(key, (this.#runsOfKey.get(key) ?? new Set()).add(run));
    if (after === "-") return;
    for (const call of after.split(",")) {
      if (!call.startsWith("@")) this.#recorded.add(`${run}/${call}`);
      else for (const ended of this.#runsOfKey.get(call.slice(1)) ?? []) this.#ended.add(ended);
    }
  }

  #startAcknowledged(key: string, run: RunId): void {
    this.#counts.acknowledgements++;
    const known = this.#runOfKey.get(key);
    if (known !== undefined && known !== run) {
      this.#problem("doubled", `${key} was answered with ${known} and with ${run}`);
    }
    this.#runOfKey.set(key, run);
    this.#keyOfRun.set(run, key);
    this.#toLookUp.push(run);
  }

  #resultAcknowledged(run: RunId, output: unknown): void {
    this.#counts.acknowledgements++;
    this.#ended.add(run);
    this.#outputs.set(run, output);
    this.#unanswered.delete(numberOf(this.#keyOfRun.get(run) ?? ""));
  }

  /** Looks into the store between two lives: what it holds now must not be done again. */
  look(reader: SqliteReader): void {
    for (const status of ["running", "waiting"] as const) {
      for (const { id } of now(reader.list({ status, limit: PAGE }))) this.#open.add(id);
    }
    for (const run of this.#toLookUp.splice(0)) {
      if (now(reader.find(run)) === null) this.#problem("lost", `${run} is not in the store`);
      else if (!this.#ended.has(run)) this.#open.add(run);
    }
    for (const run of this.#open) {
      const record = now(reader.find(run));
      if (record === null) {
        this.#problem("lost", `${run} is gone`);
        this.#open.delete(run);
      } else if (record.endedAt === null) this.#remember(record);
      else {
        this.#ended.add(run);
        this.#open.delete(run);
      }
    }
  }

  #remember({ id, journal }: RunRecord): void {
    for (const { kind, call, attempt } of journal) {
      if (kind === ENTRY_KINDS.stepCompleted || kind === ENTRY_KINDS.stepFailed) {
        this.#recorded.add(`${id}/${call}`);
      } else if (kind === ENTRY_KINDS.attemptFailed) this.#failures.set(`${id}/${call}`, attempt);
    }
  }

  /** Judges the whole history by what the store holds in the end. */
  conclude(reader: SqliteReader): KillNineFindings {
    const stored = allRuns(reader);
    const byKey = new Map<string, RunRecord[]>();
    for (const run of stored.values()) {
      const key = `${run.workflow} ${keyInInput(run)}`;
      const same = byKey.get(key);
      if (same === undefined) byKey.set(key, [run]);
      else same.push(run);
    }
    let expected = 0;
    for (let at = 0; at < this.#next; at++) {
      for (const { workflow, key, output } of expectedRuns(at)) {
        expected++;
        this.#judgeRun(`${workflow} ${key}`, byKey.get(`${workflow} ${key}`) ?? [], output);
      }
    }
    if (stored.size > expected) {
      this.#problem("doubled", `${stored.size} runs in the store, ${expected} were asked for`);
    }
    this.#judgeAcknowledged(stored, byKey);
    const { lost, repeated, doubled, again, bodies, acknowledgements } = this.#counts;
    return {
      requests: this.#next,
      runs: stored.size,
      bodies,
      acknowledgements,
      lost,
      repeated,
      doubled,
      again,
      problems: this.#problems,
    };
  }

  #judgeRun(what: string, runs: readonly RunRecord[], output: string): void {
    const [run, second] = runs;
    if (second !== undefined) this.#problem("doubled", `${what} has ${runs.length} runs`);
    if (run === undefined) this.#problem("lost", `${what} has no run`);
    else if (run.status !== "completed") {
      this.#problem("lost", `${what} ${run.id} is ${run.status}: ${run.reason}`);
    } else if (decodePayload(run.output) !== output) {
      this.#problem("lost", `${what} ${run.id} gave ${run.output} instead of ${output}`);
    }
  }

  #judgeAcknowledged(
    stored: ReadonlyMap<RunId, RunRecord>,
    byKey: ReadonlyMap<string, readonly RunRecord[]>,
  ): void {
    for (const [key, run] of this.#runOfKey) {
      const record = stored.get(run);
      if (record === undefined) this.#problem("lost", `${key} was started as ${run}, not stored`);
      else if (keyInInput(record) !== key) this.#problem("lost", `${run} is not the run of ${key}`);
    }
    for (const [run, values] of this.#signals) {
      const journal = stored.get(run)?.journal ?? [];
      for (const value of values) {
        const taken = journal.filter(({ kind, data }) => {
          return kind === ENTRY_KINDS.signalReceived && data.includes(JSON.stringify(value));
        });
        if (taken.length !== 1) {
          this.#problem("lost", `signal ${value} was taken ${taken.length} times by ${run}`);
        }
      }
    }
    for (const key of this.#published) {
      const greeted = byKey.get(`greet ${key}`)?.length ?? 0;
      if (greeted !== 1) this.#problem("lost", `event ${key} started ${greeted} runs`);
    }
    for (const [run, output] of this.#outputs) {
      const record = stored.get(run);
      if (record?.status === "completed" && decodePayload(record.output) === output) continue;
      this.#problem("lost", `the acknowledged result of ${run} is not in the store`);
    }
  }

  /** Counts something that must not be. */
  #problem(count: "lost" | "repeated" | "doubled", text: string): void {
    this.#counts[count]++;
    if (this.#problems.length < PROBLEMS_MAX) this.#problems.push(`${count}: ${text}`);
  }
}

function allRuns(reader: SqliteReader): Map<RunId, RunRecord> {
  const runs = new Map<RunId, RunRecord>();
  let before: RunId | undefined;
  for (;;) {
    const page = now(reader.list({ limit: PAGE, ...(before === undefined ? {} : { before }) }));
    if (page.length === 0) return runs;
    for (const { id } of page) {
      const record = now(reader.find(id));
      if (record !== null) runs.set(id, record);
    }
    before = page.at(-1)?.id;
  }
}

// The input of every workflow here is its key, or event data with it.
function keyInInput(run: RunRecord): string {
  const input = decodePayload(run.input) as string | { readonly key: string };
  return typeof input === "string" ? input : input.key;
}

function numberOf(key: string): number {
  return Number(key.slice(1));
}

function runOf(id: string): RunId {
  return id.slice(0, id.indexOf("/"));
}

// The reader of an embedded store answers at once.
function now<T>(answer: T | Promise<T>): T {
  if (answer instanceof Promise) throw new Error("the reader answers at once");
  return answer;
}
