import type { ErrorSpec } from "./error-spec.ts";

/** Errors of runs: CLAW-2xxx. */
export const RUN_ERRORS = {
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
  "CLAW-2041": {
    title: "The mailbox of the key is full",
    remedy: "Start the run again after `details.retryAfterMs`, or raise `mailbox.max`.",
    status: 429,
    retryable: true,
  },
  "CLAW-2042": {
    title: "The run would wait for a key that its own ancestor holds",
    remedy: "Give the child another key, start it with ctx.start, or do its work in the parent.",
    status: 409,
  },
  "CLAW-2043": {
    title: "Others were let past while the run was held",
    remedy: "Read the state with ctx.state.get() again before it is set.",
    status: 409,
  },
  "CLAW-2044": {
    title: "The run has no key, so it has no state",
    remedy: "Give the workflow the option `key`.",
    status: 400,
  },
  "CLAW-2045": {
    title: "A run of a key cannot be forked",
    remedy: "Start a new run with the same input: it queues like any other.",
    status: 409,
  },
  "CLAW-2051": {
    title: "The streams of the run are full",
    remedy: "Write less, or raise `streamChunksMax` or `streamBytesMax`.",
    status: 413,
  },
  "CLAW-2052": {
    title: "The stream is closed",
    remedy: "Write before the workflow closes it, or to another stream.",
    status: 409,
  },
  "CLAW-2053": {
    title: "There is no run whose stream this could be",
    remedy: "Call the task from a workflow with ctx.call: only runs have streams.",
    status: 409,
  },
} as const satisfies Record<string, ErrorSpec>;
