import type { ErrorSpec } from "./error-spec.ts";

/** Errors of network and command line: CLAW-5xxx. */
export const EDGE_ERRORS = {
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
  "CLAW-5071": {
    title: "The owner of the store serves another namespace",
    remedy: "Name its namespace with --namespace, or stop that process and start one for yours.",
    status: 409,
  },
  "CLAW-5072": {
    title: "This Node is too old",
    remedy: "Install Node 24.15 or newer; in a checkout `npm run claw` fetches one by itself.",
    status: 500,
  },
} as const satisfies Record<string, ErrorSpec>;
