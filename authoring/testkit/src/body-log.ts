import { type ErrorRecord, recordError, type RunId } from "@claw/core/protocol";

/** One execution of the body of a task, a step or an undo. */
export interface BodyRun {
  /** Name of the task or step; "undo NAME" for its undo. */
  readonly name: string;
  /** Name of the workflow that called it. */
  readonly workflow: string;
  /** The run that called it. */
  readonly run: RunId;
  /** Identity of the call in its run, for example "charge" or "labels[2]/label". */
  readonly call: string;
  /** What the body got as `step.key`. */
  readonly key: string;
  /** From 1. */
  readonly attempt: number;
  /** Input of a task, the undone value of an undo; undefined for a step. */
  readonly input: unknown;
  /** Virtual time of its beginning, milliseconds since 1970. */
  readonly at: number;
  /** In which life of the node it ran, from 1: a crash or restart begins the next. */
  readonly life: number;
  /** `abandoned`: its life ended before it did, or before its result could be taken. */
  readonly status: "under way" | "completed" | "failed" | "abandoned";
  /** What it returned, once it did. */
  readonly output: unknown;
  /** What it threw, once it did. */
  readonly error: ErrorRecord | null;
}

/** What is known of a body when it begins. */
export type BodyBegin = Omit<BodyRun, "status" | "output" | "error">;

/** A body that runs in this process. */
export class LiveBody {
  readonly begin: BodyBegin;
  status: BodyRun["status"] = "under way";
  output: unknown;
  error: ErrorRecord | null = null;
  /** How long it was waited for in real time. */
  waitedMs = 0;

  constructor(begin: BodyBegin) {
    this.begin = begin;
  }

  /** Its code returned. */
  completed(output: unknown): void {
    this.output = output;
    if (this.status === "under way") this.status = "completed";
  }

  /** Its code threw. */
  failed(error: unknown): void {
    this.error = recordError(error);
    if (this.status === "under way") this.status = "failed";
  }

  view(): BodyRun {
    const { status, output, error } = this;
    return { ...this.begin, status, output, error };
  }
}

/** Every body that a world ran, in the order of beginning. */
export class BodyLog {
  readonly #all: LiveBody[] = [];
  /** Rises with each beginning and end. */
  moves = 0;

  add(begin: BodyBegin): LiveBody {
    const body = new LiveBody(begin);
    this.#all.push(body);
    this.moves++;
    return body;
  }

  /** Bodies whose result somebody still waits for. */
  underWay(): LiveBody[] {
    return this.#all.filter(({ status }) => status === "under way");
  }

  /** A life has ended: what was under way in it comes to nothing. */
  abandon(): void {
    for (const body of this.underWay()) body.status = "abandoned";
  }

  /** Executions of one name, or all. */
  list(name?: string): BodyRun[] {
    const chosen = this.#all.filter(({ begin }) => name === undefined || begin.name === name);
    return chosen.map((body) => body.view());
  }
}
