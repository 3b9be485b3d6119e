import type { ErrorSpec } from "./error-spec.ts";

/** Errors of messages: CLAW-3xxx. */
export const MESSAGE_ERRORS = {
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
    remedy: "Check the id with `claw dead-letters`; only a dead task can be redriven.",
    status: 404,
  },
  "CLAW-3071": {
    title: "There is no task with this id",
    remedy: 'List tasks with `claw tasks`; a task that succeeded stays only with `keep: "all"`.',
    status: 404,
  },
  "CLAW-3051": {
    title: "The cursor is not valid",
    remedy: "Begin at 0, or at the number of the last entry or chunk that was read of this run.",
    status: 400,
  },
  "CLAW-3052": {
    title: "The run has no stream of this name",
    remedy: "Check the name among `details.streams`.",
    status: 404,
  },
  "CLAW-3060": {
    title: "The node that holds the run did not answer in time",
    remedy: "Send it again: if that node has ended, another one holds the run by then.",
    status: 503,
    retryable: true,
  },
  "CLAW-3061": {
    title: "This node has lost its lease",
    remedy: "Send it again, or to another node; this one comes back by itself.",
    status: 503,
    retryable: true,
  },
  "CLAW-3091": {
    title: "The value could not be checked against the form in time",
    remedy:
      "Send a smaller value, or reject the approval and let the workflow ask with a simpler form.",
    status: 422,
  },
  "CLAW-3041": {
    title: "Nothing is known of the key",
    remedy: "Check workflow and key: one without a state and without open runs leaves no trace.",
    status: 404,
  },
} as const satisfies Record<string, ErrorSpec>;
