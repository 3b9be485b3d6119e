/** What is known of an error code: one sentence each, shown to the user with the code. */
export interface ErrorSpec {
  /** What went wrong, without particulars. */
  readonly title: string;
  /** What the reader can do about it. */
  readonly remedy: string;
  /** HTTP status that the gateway answers with. */
  readonly status: number;
  /** True when the same call may succeed later without a change. */
  readonly retryable?: boolean;
}

/**
 * Every error that a user can meet. Codes are never reused; each has a page
 * `docs/errors/CLAW-nnnn.md`, compared in both directions by `proof/tidy`.
 * 1xxx definitions and values, 2xxx runs, 3xxx messages, 4xxx store, 5xxx network and command line,
 * 6xxx tests of authors.
 */
export const ERRORS = {
  "CLAW-1001": {
    title: "The definition is not valid",
    remedy: "Correct the named field of the workflow, task or event definition.",
    status: 400,
  },
  "CLAW-1002": {
    title: "The definition is registered twice",
    remedy: "Give one of the two another name, or raise the version of the newer one.",
    status: 409,
  },
  "CLAW-1003": {
    title: "The workflow is not known here",
    remedy: "Check the name and version, or start the process with the file that defines it.",
    status: 404,
  },
  "CLAW-1004": {
    title: "The value does not match its schema",
    remedy: "Correct the fields named in `issues`.",
    status: 400,
  },
  "CLAW-1005": {
    title: "The value cannot be stored",
    remedy: "Return plain JSON data: convert or drop what stands at the named path.",
    status: 400,
  },
  "CLAW-1006": {
    title: "The payload is over the limit",
    remedy: "Store the data elsewhere and pass a reference, or raise `payloadBytesMax`.",
    status: 413,
  },
  "CLAW-1007": {
    title: "The duration cannot be read",
    remedy: 'Write a number with a unit, such as "500ms", "30s", "5m", "2h" or "7d".',
    status: 400,
  },
  "CLAW-1008": {
    title: "The name or key is not valid",
    remedy: "Use 1 to 200 characters without control characters and without / # [ ].",
    status: 400,
  },
  "CLAW-1009": {
    title: "A branch was given as a promise",
    remedy: "Pass a function (ctx) => ... to ctx.all, ctx.race or ctx.map, not its result.",
    status: 400,
  },
  "CLAW-2001": {
    title: "The step failed",
    remedy:
      "See the attempts in `claw show`; correct the cause or catch the error in the workflow.",
    status: 500,
  },
  "CLAW-2002": {
    title: "The attempt ran out of time",
    remedy: "Raise the step's `timeout`, or make the body finish sooner and obey its signal.",
    status: 504,
    retryable: true,
  },
  "CLAW-2003": {
    title: "The run was cancelled",
    remedy: "Start a new run if the work is still wanted.",
    status: 409,
  },
  "CLAW-2004": {
    title: "Workflow code waited for something else than ctx",
    remedy:
      "Move the foreign await (setTimeout, fetch, import) into ctx.run, or set foreignAwait: 'warn'.",
    status: 500,
  },
  "CLAW-2005": {
    title: "Code and journal disagree (divergence)",
    remedy:
      "Restore the recorded steps of the code, or start runs of the new code as a new version.",
    status: 409,
  },
  "CLAW-2006": {
    title: "The workflow code has a programming error",
    remedy: "Correct the code and restart: the run goes on from where it stands.",
    status: 500,
  },
  "CLAW-2007": {
    title: "The workflow code waits for nothing durable and does not end",
    remedy: "Find the promise that never settles; await only ctx calls in workflow code.",
    status: 500,
  },
  "CLAW-2008": {
    title: "The child run did not complete",
    remedy: "See the child's own error with `claw show`, or catch this error in the parent.",
    status: 500,
  },
  "CLAW-2009": {
    title: "The workflow ended the run as failed",
    remedy: "The reason is the author's own; see the workflow.",
    status: 500,
  },
  "CLAW-2010": {
    title: "The call was closed with its scope",
    remedy: "A sibling won the race or failed first; nothing needs to be done.",
    status: 409,
  },
  "CLAW-2011": {
    title: "No code for this run here",
    remedy: "Start a process that defines this workflow and version.",
    status: 409,
  },
  "CLAW-2012": {
    title: "The run did not end in the given time",
    remedy: "Ask again later with the run's id; the run itself goes on.",
    status: 504,
    retryable: true,
  },
  "CLAW-2013": {
    title: "The call depends on the order of its siblings",
    remedy: "Give the repeated call a `key`, or use ctx.map so that each branch has its own scope.",
    status: 500,
  },
  "CLAW-2014": {
    title: "The run was terminated",
    remedy: "See `details` for what was not undone; `claw retry` makes a new run of it.",
    status: 409,
  },
  "CLAW-2015": {
    title: "The state of the run does not allow this",
    remedy: "See the run's status with `claw show` and the table in docs/guides/operating-runs.md.",
    status: 409,
  },
  "CLAW-2016": {
    title: "The call is not open",
    remedy: "Name a call that the run waits for at the moment, as `details.open` lists them.",
    status: 409,
  },
  "CLAW-2017": {
    title: "The run cannot be forked there",
    remedy:
      "Name a call whose end is in the journal (`claw journal`), of a run that undid nothing.",
    status: 409,
  },
  "CLAW-2018": {
    title: "The run ended its process again and again",
    remedy: "Correct what ends the process, then `claw release` the run.",
    status: 500,
  },
  "CLAW-2019": {
    title: "The attempt gave no sign of life",
    remedy: "Call `step.heartbeat()` more often than `heartbeat` says, or raise it.",
    status: 504,
    retryable: true,
  },
  "CLAW-2031": {
    title: "Something outlives an iteration of a checkpoint",
    remedy:
      "Await every call in the iteration, and keep steps with undo and handlers outside of it.",
    status: 500,
  },
  "CLAW-2032": {
    title: "The run has steps that it could still undo",
    remedy: "Give the option commit: true to ctx.continueAs: then they are not undone any more.",
    status: 500,
  },
  "CLAW-3001": {
    title: "There is no run with this id",
    remedy: "Check the id with `claw list`.",
    status: 404,
  },
  "CLAW-3002": {
    title: "The run has ended",
    remedy: "A closed run takes no messages; start a new one.",
    status: 409,
  },
  "CLAW-3003": {
    title: "The idempotency key was used with another input",
    remedy: "Use a new key for a new request, or send exactly the first input.",
    status: 409,
  },
  "CLAW-3004": {
    title: "The run's inbox is full",
    remedy: "Send again later, or let the workflow receive more often.",
    status: 429,
    retryable: true,
  },
  "CLAW-3005": {
    title: "The process takes no more work at the moment",
    remedy: "Send again later.",
    status: 503,
    retryable: true,
  },
  "CLAW-3006": {
    title: "The run has no handler of this name",
    remedy:
      "Check the name; a query or update is known from the moment its ctx.query or ctx.update ran.",
    status: 404,
  },
  "CLAW-3007": {
    title: "The run refused the update",
    remedy: "Correct what the message names, or send the update when the run is in another state.",
    status: 422,
  },
  "CLAW-3008": {
    title: "The handler of the query or update failed",
    remedy: "Correct the handler in the workflow; the run itself goes on.",
    status: 500,
  },
  "CLAW-3009": {
    title: "A query or a validation did more than read",
    remedy: "Answer at once from variables of the workflow: no ctx calls, no promises.",
    status: 500,
  },
  "CLAW-3010": {
    title: "The run ended before the update did",
    remedy: "See with `claw show` how the run ended; start a new one if the work is still wanted.",
    status: 409,
  },
  "CLAW-3011": {
    title: "The update did not end in the given time",
    remedy: "Ask again with the same update id: it gets the answer of the first one.",
    status: 504,
    retryable: true,
  },
  "CLAW-3012": {
    title: "The run waits for no approval of this name",
    remedy: "Check the name among the open approvals; one whose time is over takes no decision.",
    status: 404,
  },
  "CLAW-3013": {
    title: "The approval was decided already",
    remedy: "Nothing needs to be done: the first decision holds.",
    status: 409,
  },
  "CLAW-3014": {
    title: "This person may not decide the approval",
    remedy: "Let one of the approval's assignees decide it.",
    status: 403,
  },
  "CLAW-3015": {
    title: "There is no dead letter with this id",
    remedy: "Check the id with `claw.deadLetters()`; only a dead task can be redriven.",
    status: 404,
  },
  "CLAW-4001": {
    title: "The store is in use by another process",
    remedy: "Stop that process, or send commands to it: claw verbs do so by themselves.",
    status: 409,
  },
  "CLAW-4002": {
    title: "The store file is damaged",
    remedy: "Run `claw doctor`, then restore the last backup.",
    status: 500,
  },
  "CLAW-4003": {
    title: "The store was written by a newer version",
    remedy: "Use at least the version named in the message.",
    status: 500,
  },
  "CLAW-4004": {
    title: "The disk of the store is full",
    remedy: "Free space; the process goes on by itself. Nothing acknowledged was lost.",
    status: 503,
    retryable: true,
  },
  "CLAW-4005": {
    title: "The store file is locked",
    remedy: "Another program has the database open for writing; close it.",
    status: 503,
    retryable: true,
  },
  "CLAW-4006": {
    title: "The outcome of the write is not known",
    remedy: "Send it again with the same idempotency key; the store is being reopened.",
    status: 503,
    retryable: true,
  },
  "CLAW-4007": {
    title: "This process no longer owns the store",
    remedy: "Another process took over; restart this one if it should own the store.",
    status: 503,
  },
  "CLAW-4008": {
    title: "The file is not a store, or cannot be opened",
    remedy: "Check the path and its permissions; give --store another file.",
    status: 500,
  },
  "CLAW-4009": {
    title: "The store refused this transition",
    remedy: "The run was failed so that others go on; report the details, they point at a bug.",
    status: 500,
  },
  "CLAW-4010": {
    title: "The backup cannot be written there",
    remedy: "Name a file that does not exist yet, in a folder that can be written.",
    status: 409,
  },
  "CLAW-4011": {
    title: "A stored value cannot be decoded",
    remedy:
      "Give the runtime the codec and the keys that it was stored with, then release the run.",
    status: 500,
  },
  "CLAW-5001": {
    title: "The port is taken",
    remedy: "Stop what listens there, or choose another with --port.",
    status: 500,
  },
  "CLAW-5002": {
    title: "The body is not valid JSON",
    remedy: "Send one JSON value, UTF-8, with content-type application/json.",
    status: 400,
  },
  "CLAW-5003": {
    title: "The webhook signature does not match",
    remedy: "Use the same secret on both sides and sign the raw body (X-Hub-Signature-256).",
    status: 401,
  },
  "CLAW-5004": {
    title: "There is nothing at this address",
    remedy: "Check the method and path.",
    status: 404,
  },
  "CLAW-5005": {
    title: "The request is too large",
    remedy: "Send less, or raise `bodyBytesMax`.",
    status: 413,
  },
  "CLAW-5006": {
    title: "The process that owns the store does not answer",
    remedy: "Look whether it still runs; `claw doctor` tells who holds the store.",
    status: 503,
    retryable: true,
  },
  "CLAW-5007": {
    title: "The request is not authorised",
    remedy: "Send the token from .claw/ as a bearer token, from the same machine.",
    status: 401,
  },
  "CLAW-5008": {
    title: "The event is not a valid CloudEvent",
    remedy: "Send specversion 1.0 with id, source and type.",
    status: 400,
  },
  "CLAW-5009": {
    title: "The file could not be loaded",
    remedy: "Correct the path or the error named in the message.",
    status: 400,
  },
  "CLAW-5010": {
    title: "The command line is not valid",
    remedy: "See `claw --help`.",
    status: 400,
  },
  "CLAW-6001": {
    title: "The world of the test does not come to rest",
    remedy: "Find the loop of the workflow that goes on while time stands still, and bound it.",
    status: 500,
  },
  "CLAW-6002": {
    title: "Nothing is left that could end the run",
    remedy: "Send the signal or event that it waits for, in the test or its scenario.",
    status: 500,
  },
  "CLAW-6003": {
    title: "A body does not end in the time that a test gives it",
    remedy: "Replace it in `tasks` or `steps`, settle what it waits for, or raise `realWaitMs`.",
    status: 500,
  },
  "CLAW-6004": {
    title: "The crash point was not met again",
    remedy:
      "Make workflow, bodies and scenario do the same each time: no real time, no shared state.",
    status: 500,
  },
  "CLAW-6005": {
    title: "The history cannot be read",
    remedy: "Write it with exportHistory, or with `claw show RUN -o json` of this version.",
    status: 400,
  },
  "CLAW-6006": {
    title: "The expectation of the test is not met",
    remedy: "Compare the bodies of the outcome with those of the undisturbed run.",
    status: 500,
  },
} as const satisfies Record<string, ErrorSpec>;

/** A registered error code, `CLAW-nnnn`. */
export type ErrorCode = keyof typeof ERRORS;

/** What a ClawError may carry besides its code and detail. */
export interface ClawErrorOptions {
  /** Machine-readable particulars: small, JSON, free of secrets. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/**
 * An error that a user can meet: a registered code, one sentence of particulars, and the
 * remedy. `message` reads "detail. remedy" so that a bare stack trace already says what to do.
 */
export class ClawError extends Error {
  readonly code: ErrorCode;
  /** The particulars, without the remedy. */
  readonly detail: string;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, detail?: string, options: ClawErrorOptions = {}) {
    const spec: ErrorSpec = ERRORS[code];
    const sentence = detail ?? spec.title;
    super(
      `${code}: ${sentence}${/[.!?]$/.test(sentence) ? "" : "."} ${spec.remedy}`,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.name = "ClawError";
    this.code = code;
    this.detail = sentence;
    this.details = options.details ?? {};
  }

  get title(): string {
    return ERRORS[this.code].title;
  }

  get remedy(): string {
    return ERRORS[this.code].remedy;
  }

  get retryable(): boolean {
    return (ERRORS[this.code] as ErrorSpec).retryable ?? false;
  }

  get status(): number {
    return ERRORS[this.code].status;
  }
}

/** True for a ClawError, with the given code if one is named. */
export function isClawError(error: unknown, code?: ErrorCode): error is ClawError {
  return error instanceof ClawError && (code === undefined || error.code === code);
}

/** An error as it stands in a journal: names and words, never live objects. */
export interface ErrorRecord {
  readonly name: string;
  readonly message: string;
  /** The author's or ours; absent when the error had none. */
  readonly code?: string;
  /** Shortened to `ERROR_STACK_CHARS_MAX`. */
  readonly stack?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}
