import type { ErrorSpec } from "./error-spec.ts";

/** Errors of the store: CLAW-4xxx. */
export const STORE_ERRORS = {
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
} as const satisfies Record<string, ErrorSpec>;
